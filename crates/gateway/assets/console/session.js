// The session of this tab: its tokens live in sessionStorage, where GraphiQL's page finds them too.
// When it ends, the window hears the event "session-ended".

const TOKEN = "plumbline.accessToken";
const REFRESH = "plumbline.refreshToken";
const EMAIL = "plumbline.email";

export const session = {
  get token() {
    return sessionStorage.getItem(TOKEN);
  },
  get email() {
    return sessionStorage.getItem(EMAIL);
  },
  begin(email, answer) {
    sessionStorage.setItem(EMAIL, email);
    sessionStorage.setItem(TOKEN, answer.access_token);
    sessionStorage.setItem(REFRESH, answer.refresh_token);
  },
  end() {
    for (const key of [TOKEN, REFRESH, EMAIL]) sessionStorage.removeItem(key);
    window.dispatchEvent(new Event("session-ended"));
  },
};

async function postJson(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || answer.title || `Status ${response.status}`);
  return answer;
}

export async function logIn(email, password) {
  session.begin(email, await postJson("/auth/v1/sessions", { email, password }));
}

/**
 * Exchanges the refresh token, or ends the session. Several callers at once share one exchange, for
 * the token works once.
 */
let refreshing = null;
export function refresh() {
  refreshing ??= (async () => {
    try {
      const refresh_token = sessionStorage.getItem(REFRESH);
      const answer = await postJson("/auth/v1/tokens/refresh", { refresh_token });
      session.begin(session.email, answer);
    } catch {
      session.end();
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}
