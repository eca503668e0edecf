"use strict";

const form = document.getElementById("form");
const password = document.getElementById("password");
const save = document.getElementById("save");
const result = document.getElementById("result");
const token = new URLSearchParams(location.hash.slice(1)).get("token");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  save.disabled = true;
  try {
    const response = await fetch("v1/password-resets/confirm", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: token ?? "", password: password.value }),
    });
    if (response.ok) {
      form.hidden = true;
      result.textContent = "Your password is changed. Log in with it now.";
      return;
    }
    const problem = await response.json();
    const reasons = (problem.errors ?? []).map((error) => `The ${error.field} ${error.message}.`);
    result.textContent = reasons.join(" ") || problem.title;
  } catch {
    result.textContent = "The server did not answer. Please try again.";
  }
  save.disabled = false;
});
