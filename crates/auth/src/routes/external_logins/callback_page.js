"use strict";

const result = document.getElementById("result");
const response = new URLSearchParams(location.search);
// The code stays neither in the history nor in a Referer.
history.replaceState(null, "", location.pathname);

async function complete() {
  if (response.has("error") || !response.has("code")) {
    return "The provider did not log you in. Please try again.";
  }
  const answer = await fetch("complete", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      state: response.get("state") ?? "",
      code: response.get("code"),
      iss: response.get("iss") ?? undefined,
    }),
  });
  const body = await answer.json();
  if (!answer.ok) {
    return body.title;
  }
  if (body.mfa_required) {
    return "Your account asks for the code of your authenticator app, too.";
  }
  return body.linked ? "You can log in this way from now on." : "You are logged in.";
}

complete().then(
  (text) => { result.textContent = text; },
  () => { result.textContent = "The server did not answer. Please begin again."; },
);
