// The user's own account: logging out, and deleting it where it is one of a host.

import { harmless, the } from "./dom.js";
import { forgetTab } from "./kept.js";
import { state } from "./state.js";
import { forgetName } from "./used.js";
import { post } from "./wire.js";

/** To the way in, which says why. This document and what it knows are gone then. */
export function leave(why) {
  sessionStorage.setItem("causerie-why", why);
  location.replace("/enter");
}

export function begin(wire) {
  the("logout").addEventListener("click", async () => {
    wire.close();
    await post("/logout").catch(() => null);
    forgetTab();
    leave("You are logged out.");
  });
  the("account").addEventListener("click", open);
  the("account-close").addEventListener("click", () => the("account-dialog").close());
  the("delete-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = the("delete-name").value;
    const answer = await post("/delete", JSON.stringify({ name })).catch(() => null);
    if (answer?.status !== 204) {
      the("delete-why").textContent = harmless(answer ? await answer.text() : "The host does not answer, so nothing was deleted.");
      return;
    }
    wire.close();
    forgetName(name);
    forgetTab();
    leave(`The account ${name} is deleted.`);
  });
}

async function open() {
  the("account-name").textContent = harmless(state.me?.label ?? "");
  the("delete-name").value = "";
  the("delete-why").textContent = "";
  const offered = await fetch("/entry").then((answer) => answer.json()).catch(() => ({}));
  const onHost = offered.registration !== undefined;
  the("delete-form").hidden = !onHost;
  the("account-where").textContent = onHost
    ? "Your identity and your messages are on this host. The people who run it can read all of them."
    : "This page shows a peer that runs on this computer. Logging out leaves the peer running.";
  the("account-dialog").showModal();
}
