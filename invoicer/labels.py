"""Chinese words for the terms of the program, wherever people read them."""

from __future__ import annotations

ROLES = {
    "core": "品名", "side": "其他", "brand": "品牌", "flavour": "风味", "scent": "香味",
    "colour": "颜色", "material": "材质", "process": "工艺", "audience": "适用", "grade": "等级",
    "size_word": "尺寸", "season_style": "款式", "origin": "产地", "packing": "包装",
    "promotion": "促销", "certification": "认证", "condition": "版本", "state": "状态",
}  # fmt: skip
ACTIONS = {
    "decide": "决定", "vote": "投票", "settle": "裁定", "send_back": "退回", "reply": "答复",
    "uncodable": "无法赋码", "undo": "撤销", "skip": "跳过",
    "refer": "提交编审委员会", "conclude": "依裁定或申诉改定",
}  # fmt: skip
PANEL = {
    "open": "提交", "vote": "投票", "no_majority": "计票", "counted": "表决结束", "close": "结案",
}  # fmt: skip
ADMINISTRATION = {
    "tenant.create": "新建租户", "tenant.export": "导出租户", "tenant.erase": "清除租户",
    "user.add": "新建用户", "user.password": "重设密码", "user.disable": "停用用户",
    "user.locked": "连续输错密码,账户锁定", "key.create": "新建密钥", "key.revoke": "吊销密钥",
    "ruling.issue": "发布裁定",
}  # fmt: skip
FIELDS = {
    "name": "名称", "spec": "规格型号", "unit": "单位", "brand": "品牌", "manufacturer": "厂家",
    "barcode": "条码", "seller_industry": "销售方", "date": "开票日期", "taxpayer": "纳税人",
    "declared_code": "原编码", "declared_short_name": "原简称", "declared_rate": "原税率",
    "answer": "已有回答", "amount": "金额(元)",
}  # fmt: skip
TAXPAYERS = {"general": "一般纳税人", "small": "小规模纳税人"}
