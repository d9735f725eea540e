// The user's own account: their name in the chat, logging out, and deleting it where it is one of a host.

import { harmless, named, the } from "./dom.js";
import { forgetTab } from "./kept.js";
import { state } from "./state.js";
import { forgetName } from "./used.js";
import { post } from "./wire.js";

/** The name of the account that this browser is logged in with, at a host. The name in the chat may be another one. */
let account = null;

function say(of, text, isWrong = true) {
  the(`${of}-why`).textContent = harmless(text);
  the(`${of}-why`).classList.toggle("wrong", isWrong);
}

/** To the way in, which says why, or that one is not logged in. This document and what it knows are gone then. */
export function leave(why = "") {
  sessionStorage.setItem("causerie-why", why);
  location.replace("/enter");
}

/** `actions` has `renamed(who)`. */
export function begin(wire, actions) {
  the("logout").addEventListener("click", async () => {
    wire.close();
    await post("/logout").catch(() => null);
    forgetTab();
    leave("You are logged out.");
  });
  the("account").addEventListener("click", open);
  the("account-close").addEventListener("click", () => the("account-dialog").close());
  the("nick-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const { who } = await wire.ask("nick", { name: the("nick").value });
      actions.renamed(who);
      say("nick", `You are now called ${who.label}.`, false);
    } catch (error) {
      say("nick", error.message);
    }
  });
  the("delete-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = the("delete-name").value;
    if (name !== account) return say("delete", `You do not log in as ${name}, so nothing was deleted.`);
    // The peer stops before the answer comes.
    wire.close();
    const answer = await post("/delete", JSON.stringify({ name })).catch(() => null);
    if (answer?.status !== 204) {
      wire.connect();
      return say("delete", answer ? await answer.text() : "The host does not answer: look later whether the account is still there.");
    }
    forgetName(name);
    forgetTab();
    leave(`The account ${name} is deleted.`);
  });
}

async function open() {
  account = await fetch("/entry").then((answer) => answer.json()).then((entry) => entry.account ?? null).catch(() => null);
  the("account-where").replaceChildren(
    ...(account
      ? ["You log in as ", named(account, "strong"), ". Your identity and your messages are on this host. The people who run it can read all of them."]
      : ["This page shows a peer that runs on this computer. Logging out here leaves the peer running."]),
  );
  the("nick").value = state.me?.name ?? "";
  the("nick-hint").replaceChildren("Everybody sees it.", ...(account ? [" You log in as ", named(account), " all the same."] : []));
  the("delete-name").value = "";
  for (const form of ["nick", "delete"]) say(form, "");
  the("delete-form").hidden = account === null;
  the("account-dialog").showModal();
}
