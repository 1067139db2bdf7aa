// Calls to the service, with the browser's session.

const root = document.documentElement.dataset.root;

export class Refusal extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.context = error.context ?? {};
  }
}

export const address = (path) => root + path;

/** The answer as an object, or null. Throws Refusal; nobody signed in goes to the sign-in page. */
export async function call(method, path, body, { keepalive = false } = {}) {
  let response;
  try {
    response = await fetch(address(path), {
      method,
      keepalive,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, { code: "offline", message: "连接不上服务器" });
  }
  if (response.status === 401) {
    location.assign(address("/sign-in?next=") + encodeURIComponent(here()));
    throw new Refusal(401, { code: "not_authenticated", message: "登录已过期，请重新登录" });
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Refusal(response.status, answer.error ?? { message: "服务器没有正常答复" });
  }
  return answer;
}

const here = () => location.pathname.slice(root.length) + location.search;

export const get = (path) => call("GET", path);
export const post = (path, body = {}, options = {}) => call("POST", path, body, options);
