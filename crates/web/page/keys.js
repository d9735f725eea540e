// Comparing keys: the digits that two people read to each other, and what this user found.

import { harmless, make, named, the } from "./dom.js";
import { setUser, split, state } from "./state.js";

let act = null;
let wire = null;
/** The peer id of the person whose key is being compared. */
let person = null;

/** `actions` has `changed()` and `notice(text)`. */
export function begin(connection, actions) {
  act = actions;
  wire = connection;
  the("compare").addEventListener("click", open);
  the("keys-same").addEventListener("click", () => found(true));
  the("keys-differ").addEventListener("click", () => found(false));
  the("keys-close").addEventListener("click", () => the("keys").close());
}

/** What stands beside the name of a person whose key was compared. It belongs to the key, whatever the name is. */
export function mark(user) {
  if (!user?.verified) return [];
  return [make("span", "compared", "✓", { "aria-hidden": "true", title: "You have compared keys" }), make("span", "sr", ", key compared")];
}

/** Keys are compared with one person at a time. */
export function render() {
  const [kind, rest] = split(state.open);
  const user = kind === "person" ? state.people.get(rest) : null;
  the("compare").hidden = !user || user.me;
  the("title-mark").replaceChildren(...mark(user));
}

async function open() {
  [, person] = split(state.open);
  try {
    const { user, code } = await wire.ask("verify", { person });
    for (const place of document.querySelectorAll(".keys-name")) place.textContent = harmless(user.who.label);
    the("keys-me").textContent = harmless(state.me.name);
    the("keys-code").textContent = harmless(code);
    show(user);
    the("keys").showModal();
  } catch (error) {
    act.notice(error.message);
  }
}

async function found(same) {
  try {
    const { user } = await wire.ask("verify", { person, same });
    show(user);
    the("keys-close").focus();
  } catch (error) {
    the("keys-found").textContent = harmless(error.message);
  }
}

function show(user) {
  setUser(user);
  const not = user.verified ? "" : " not";
  the("keys-found").replaceChildren(`You have${not} compared keys with `, named(user.who.label), ".");
  the("keys-same").hidden = user.verified;
  the("keys-differ").hidden = !user.verified;
  act.changed();
}
