"use strict";

const result = document.getElementById("result");
const secondFactor = document.getElementById("second-factor");
const response = new URLSearchParams(location.search);
// The code stays neither in the history nor in a Referer.
history.replaceState(null, "", location.pathname);

/** Posts to the API. The session's refresh token goes into a cookie that no script can read. */
async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, refresh_token_transport: "cookie" }),
  });
  const content = await answer.json();
  return { ok: answer.ok, title: content.title, content };
}

function finish(text) {
  result.textContent = text;
  secondFactor.hidden = true;
  document.getElementById("continue").hidden = false;
}

async function complete() {
  if (response.has("error") || !response.has("code")) {
    result.textContent = "The provider did not log you in. Please try again.";
    return;
  }
  const { ok, title, content } = await post("complete", {
    state: response.get("state") ?? "",
    code: response.get("code"),
    iss: response.get("iss") ?? undefined,
  });
  if (!ok) {
    result.textContent = title;
  } else if (content.mfa_required) {
    askForSecondFactor(content.challenge);
  } else {
    finish(content.linked ? "You can log in this way from now on." : "You are logged in.");
  }
}

function askForSecondFactor(challenge) {
  const button = document.getElementById("confirm");
  const code = document.getElementById("code");
  result.textContent = "Your account asks for a second factor, too.";
  secondFactor.hidden = false;
  button.addEventListener("click", () => attempt(async () => {
    const { ok, title } = await post("../sessions/mfa", { challenge, code: code.value });
    if (ok) {
      finish("You are logged in.");
    } else {
      result.textContent = title;
    }
  }));
}

async function attempt(work) {
  try {
    await work();
  } catch {
    result.textContent = "The server did not answer. Please begin again.";
  }
}

attempt(complete);
