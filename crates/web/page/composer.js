// What is typed, and what was typed and is not known to be sent.

import { the } from "./dom.js";
import { kept, keepDraft, keepOutbox } from "./kept.js";
import { peopleOf } from "./lists.js";
import { append, conversation, keyOf, state, targetOf, titleOf } from "./state.js";

/** Bytes of a text, as the peer takes it. */
const LONGEST = 65536;

/** How much earlier than the attempt a message may be dated that is the one that was tried, in milliseconds. */
const SLACK = 2000;

const text = the("text");
let act = null;
let wire = null;

/** `actions` has `changed()`, `notice(text)` and `later()`, which is called when something waits to go out. */
export function begin(connection, actions) {
  act = actions;
  wire = connection;
  text.addEventListener("input", () => {
    keepDraft(state.open, text.value);
    fit();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  addEventListener("resize", fit);
  the("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

/** Shows the draft of the open conversation. */
export function show() {
  text.value = kept.drafts[state.open] ?? "";
  const title = titleOf(state.open);
  the("text-label").textContent = `Message to ${title}`;
  text.placeholder = state.open === "all" ? "Message to everybody" : `Message to ${title}`;
  fit();
}

/** As many rows as there are lines. */
function fit() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

/** Sends what is typed, after so many milliseconds. */
export function submit(delay = 0) {
  const typed = text.value;
  if (typed.trim() === "") return;
  if (new TextEncoder().encode(typed).length > LONGEST) return act.notice("That is longer than 64 KiB: send it in parts.");
  if (!wire.isOpen) return act.notice("Not connected: what you wrote stays here until you send it.");
  const number = 1 + Math.max(0, ...kept.outbox.map((entry) => entry.number));
  const entry = { number, key: state.open, text: typed, why: "", tried: Date.now(), delay };
  kept.outbox.push(entry);
  text.value = "";
  keepDraft(state.open, "");
  fit();
  transmit(entry);
}

/** A message counts as sent once the peer has answered, and not before. */
async function transmit(entry) {
  Object.assign(entry, { why: "", tried: Date.now() });
  keepOutbox();
  act.changed();
  try {
    const answer = await wire.ask("send", { to: targetOf(entry.key), text: entry.text, delay_ms: entry.delay ?? 0 });
    drop(entry);
    if (entry.delay > 0) act.later();
    if (answer.message) said(answer.message);
    if (answer.away?.length > 0 && entry.key !== "all" && !entry.key.startsWith("group:")) {
      act.notice(`${answer.away.map((who) => who.label).join(", ")}: away, gets it later.`);
    }
  } catch (error) {
    entry.why = error.lost ? "the connection was lost before the answer" : error.message;
    keepOutbox();
  }
  act.changed();
}

/** A message of this user, here or at another user interface. */
export function said(message) {
  const key = keyOf(message.to);
  const isToOthers = peopleOf(key).some((person) => !person.me);
  const isNew = !conversation(key).ids.has(message.id);
  if (isNew && isToOthers && !state.early.delete(message.id)) state.undelivered.add(message.id);
  append(message);
}

function drop(entry) {
  kept.outbox = kept.outbox.filter((other) => other !== entry);
  keepOutbox();
}

export function sendAgain(entry) {
  if (!wire.isOpen) return act.notice("Not connected: it stays here until you send it.");
  transmit(entry);
}

export function discard(entry) {
  drop(entry);
  act.changed();
}

/** After a reload or a lost connection: what the history has by now was sent, and its answer alone was lost. */
export function settle() {
  const taken = new Set();
  for (const entry of [...kept.outbox]) {
    const is = (message) =>
      message.own && !taken.has(message.id) && message.text === entry.text && message.sent_at / 1000 >= entry.tried - SLACK;
    const sent = conversation(entry.key).messages.find((message) => keyOf(message.to) === entry.key && is(message));
    if (sent) {
      taken.add(sent.id);
      drop(entry);
    } else if (entry.why === "") {
      entry.why = "the connection was lost before the answer";
    }
  }
  keepOutbox();
}
