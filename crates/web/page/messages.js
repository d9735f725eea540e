// The messages of the open conversation.

import { dateOf, dayText, make, named, reconcile, the, timeText, withLinks } from "./dom.js";
import { kept } from "./kept.js";
import { MOST, conversation, labelOf, markRead, state, unreadFrom } from "./state.js";

/** Messages of one author this close together, in milliseconds, stand below one name. */
const TOGETHER = 5 * 60 * 1000;

/** Pixels from the end that still count as being at the end. */
const NEAR = 60;

const log = the("log");
let shownKey = null;
let atEnd = true;
let act = null;

/** `actions` has `older()`, `sendAgain(entry)` and `discard(entry)`. */
export function begin(actions) {
  act = actions;
  log.addEventListener("scroll", () => {
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    the("newest").hidden = atEnd;
    if (log.scrollTop < 200) act.older();
    if (atEnd) seen();
  });
  the("newest").addEventListener("click", toEnd);
  addEventListener("resize", () => atEnd && toEnd());
  document.addEventListener("visibilitychange", () => seen() && act.changed());
}

export function toEnd() {
  atEnd = true;
  log.scrollTop = log.scrollHeight;
  the("newest").hidden = true;
}

/** What is at the end of a visible log has been read. */
function seen() {
  if (!atEnd || document.hidden || !state.me || document.body.dataset.view === "list") return false;
  markRead(conversation(state.open));
  return true;
}

/** Shows what there is, and keeps the place of the reader. */
export function render() {
  const talk = conversation(state.open);
  const opened = shownKey !== talk.key;
  if (opened) {
    log.replaceChildren();
    shownKey = talk.key;
    atEnd = true;
    talk.firstUnread = null;
  }
  if (opened || document.hidden || !atEnd) talk.firstUnread ??= talk.messages.slice(unreadFrom(talk)).find((m) => !m.own)?.id ?? null;
  const fromEnd = log.scrollHeight - log.scrollTop;
  const hadFirst = log.firstElementChild?.dataset.key;
  reconcile(log, rows(talk));
  const line = opened && log.querySelector(".rule.new");
  if (line && line.offsetTop < log.scrollHeight - log.clientHeight) {
    log.scrollTop = line.offsetTop - log.offsetTop - 40;
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  } else if (atEnd) {
    toEnd();
  } else if (log.firstElementChild?.dataset.key !== hadFirst) {
    log.scrollTop = log.scrollHeight - fromEnd;
  }
  the("newest").hidden = atEnd;
  seen();
}

function rows(talk) {
  const list = [];
  if (talk.whole) list.push(["begin", () => make("p", "quiet", beginning(talk))]);
  else if (talk.messages.length >= MOST) list.push(["more", () => make("p", "quiet", "Search finds what is older.")]);
  let before = null;
  for (const message of talk.messages) {
    const date = dateOf(message);
    const day = date.toDateString();
    if (before?.day !== day) list.push([`day ${day} ${message.id}`, () => make("div", "rule", dayText(date))]);
    const fresh = message.id === talk.firstUnread;
    if (fresh) list.push(["unread", () => make("div", "rule new", "New")]);
    const first = before?.day !== day || fresh || before.person !== message.from.person || Math.abs(date - before.date) > TOGETHER;
    list.push([`${message.id} ${first ? labelOf(message.from.person) : ""}`, () => messageRow(message, date, first)]);
    before = { day, date, person: message.from.person };
  }
  for (const entry of kept.outbox.filter((entry) => entry.key === talk.key)) {
    list.push([`out ${entry.number} ${entry.why}`, () => unsentRow(entry)]);
  }
  return list;
}

function beginning(talk) {
  return talk.messages.length === 0 ? "Nothing has been said here yet." : "The beginning of what this peer has.";
}

function messageRow(message, date, first) {
  const tags = [];
  if (message.late) tags.push("came late");
  if (message.clock_off) tags.push("by a wrong clock");
  const time = make("time", "", timeText(date), { datetime: date.toISOString(), title: date.toLocaleString() });
  const tag = tags.length > 0 ? [make("span", "tag", `(${tags.join(", ")})`)] : [];
  const head = make("div", first ? "head" : "sr", [named(labelOf(message.from.person), "who"), time]);
  head.append(...tag);
  const body = make("div", "body", withLinks(message.text), { dir: "auto" });
  const row = make("div", `message${first ? " first" : ""}${message.own ? " own" : ""}`, [head, body]);
  row.title = first ? "" : timeText(date);
  row.dataset.id = message.id;
  return row;
}

function unsentRow(entry) {
  const body = make("div", "body", entry.text, { dir: "auto" });
  const row = make("div", "message first unsent", [body]);
  if (entry.why === "") {
    row.append(make("span", "tag", "sending…"));
  } else {
    const again = make("button", "plain", "Send again", { type: "button" });
    again.addEventListener("click", () => act.sendAgain(entry));
    const discard = make("button", "plain", "Discard", { type: "button" });
    discard.addEventListener("click", () => act.discard(entry));
    row.append(make("span", "tag", `Not sent: ${entry.why}`), again, discard);
  }
  return row;
}

/** Shows a message that is loaded, wherever it is; whether it is. */
export function showMessage(id) {
  const row = log.querySelector(`[data-id="${CSS.escape(id)}"]`);
  if (!row) return false;
  atEnd = false;
  row.scrollIntoView({ block: "center" });
  row.classList.add("found");
  setTimeout(() => row.classList.remove("found"), 2500);
  return true;
}

/** One line on what is held back, and what for. */
export function renderHeld() {
  const held = [...state.held.values()];
  const line = the("held");
  line.hidden = held.length === 0;
  if (held.length === 0) return line.replaceChildren();
  const authors = names(held.map((held) => held.from));
  const missing = new Map(held.flatMap((held) => held.missing));
  const text = [`Held back: ${held.length === 1 ? "one" : held.length} from `, ...authors, ", waiting for "];
  if (missing.size === 0) text.push("the history of a conversation");
  else text.push(missing.size === 1 ? "one from " : `${missing.size} from `, ...names([...missing.values()]));
  const now = make("span", "", text);
  // What has not changed is not read out again.
  if (line.textContent !== now.textContent) line.replaceChildren(now);
}

function names(people) {
  const labels = [...new Set(people.map((who) => labelOf(who.person)))];
  const shown = labels.slice(0, 3).flatMap((label, nth) => [nth > 0 ? ", " : "", named(label)]);
  return labels.length > 3 ? [...shown, ` and ${labels.length - 3} more`] : shown;
}
