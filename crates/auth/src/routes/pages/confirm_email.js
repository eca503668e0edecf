"use strict";

const button = document.getElementById("confirm");
const result = document.getElementById("result");
const token = new URLSearchParams(location.hash.slice(1)).get("token");

button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    const response = await fetch("v1/email-verifications/confirm", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: token ?? "" }),
    });
    if (response.ok) {
      result.textContent = "Your address is confirmed. You can log in now.";
      return;
    }
    const problem = await response.json();
    result.textContent = problem.title;
  } catch {
    result.textContent = "The server did not answer. Please try again.";
  }
  button.disabled = false;
});
