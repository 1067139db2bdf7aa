"""Chinese words for the terms of the program, wherever people read them."""

from __future__ import annotations

ROLES = {
    "core": "品名", "side": "其他", "brand": "品牌", "flavour": "风味", "scent": "香味",
    "colour": "颜色", "material": "材质", "process": "工艺", "feature": "特性",
    "audience": "适用", "grade": "等级",
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
    "words.accept": "采纳词表修改", "words.rollback": "退回知识库版本",
    "words.rebase": "沿用到程序随附的新表",
}  # fmt: skip
FIELDS = {
    "name": "名称", "spec": "规格型号", "unit": "单位", "brand": "品牌", "manufacturer": "厂家",
    "barcode": "条码", "seller_industry": "销售方", "date": "开票日期", "taxpayer": "纳税人",
    "declared_code": "原编码", "declared_short_name": "原简称", "declared_rate": "原税率",
    "answer": "已有回答", "amount": "金额(元)",
}  # fmt: skip
TAXPAYERS = {"general": "一般纳税人", "small": "小规模纳税人"}
SECTIONS = {  # GB/T 4754-2017
    "A": "农、林、牧、渔业", "B": "采矿业", "C": "制造业", "D": "电力、热力、燃气及水生产和供应业",
    "E": "建筑业", "F": "批发和零售业", "G": "交通运输、仓储和邮政业", "H": "住宿和餐饮业",
    "I": "信息传输、软件和信息技术服务业", "J": "金融业", "K": "房地产业", "L": "租赁和商务服务业",
    "M": "科学研究和技术服务业", "N": "水利、环境和公共设施管理业",
    "O": "居民服务、修理和其他服务业", "P": "教育", "Q": "卫生和社会工作",
    "R": "文化、体育和娱乐业", "S": "公共管理、社会保障和社会组织", "T": "国际组织",
}  # fmt: skip
WORD_VALUES = {  # of the word tables' columns that have few values
    "kind": ROLES,
    "place": {"exact": "整个名称", "whole": "名称连同时间地点", "end": "名称结尾"},
    "premise": {
        "phrase": "仅凭名称", "seller": "看销售方行业", "ask": "须询问", "stated": "名称写明",
    },
}
WORD_COLUMNS = {  # of the word tables
    "code": "编码", "term": "词", "codes": "可能的编码", "default_code": "默认编码",
    "question": "提问", "options": "选项(答复=编码,用 | 隔开)", "kind": "种类", "note": "备注",
    "head": "真正的品名", "why": "说明", "phrase": "场景", "aliases": "别名(用 | 隔开)",
    "place": "位置", "seller_industry": "销售方行业", "condition": "条件", "answer": "选项文字",
    "stated": "名称中写明条件的词(用 | 隔开)", "premise": "前提", "rate_general": "一般纳税人税率",
    "levy_small": "小规模征收率",
}  # fmt: skip
