// Brings the parts together: logging in, the session's events, and what is open.

import * as account from "./account.js";
import * as composer from "./composer.js";
import { afterAWhile, dateOf, dayText, harmless, make, named, onceAFrame, the, timeText } from "./dom.js";
import { keepOpen, keepRead, kept, restore, restoredFor } from "./kept.js";
import * as lists from "./lists.js";
import * as messages from "./messages.js";
import {
  MOST, append, conversation, forgetMessages, keyOf, keyOfGroup, markRead, meet, merge, setGroups, setUsers, split, state, targetOf, titleOf,
} from "./state.js";
import { Wire } from "./wire.js";

/** Messages of all conversations that a tab begins with, and of one that are fetched at a time. */
const BEGIN = 500;
const PAGE = 100;

const wire = new Wire({ line: heard, state: connection, loggedOut: () => account.leave() });
const changed = onceAFrame(render);
const refresh = afterAWhile(lookAround, 150);
const stale = new Set();
const fetchStale = afterAWhile(() => {
  for (const key of stale) load(key, conversation(key).messages.length + PAGE);
  stale.clear();
}, 400);

// ---- the session

function heard(line) {
  if (line.hello !== undefined) return welcome(line);
  if (line.end !== undefined) return notice(line.end);
  switch (line.event) {
    case "message":
      return delivered(line.message);
    case "held":
      state.held.set(line.held.id, line.held);
      return changed();
    case "released":
      state.held.delete(line.id);
      return changed();
    case "peer_up":
    case "peer_down":
      meet(line.who, line.event === "peer_up");
      changed();
      return refresh();
    case "group_appeared": case "group_joined": case "group_left": case "group_gone": case "person_changed": case "forgotten":
      return refresh();
    case "gap":
      return notice(`Some messages from ${line.from.label} were given up: no reachable peer has them.`);
    case "catching_up":
      return notice(`Catching up: ${line.messages} of about ${line.of} messages.`);
    case "caught_up":
      return notice(`Caught up: ${line.messages} messages while you were away.`);
    case "connect_failed":
      return notice(`${line.address} cannot be reached: ${line.reason}`);
    case "problem": case "warning":
      return notice(line.text);
    default:
      return undefined;
  }
}

async function welcome(hello) {
  if (hello.hello !== 1) {
    wire.close();
    return notice("This page and the peer are of different versions: load the page again.");
  }
  const { me } = hello;
  if (state.me && state.me.person !== me.person) return location.reload();
  state.me = me;
  if (restoredFor() !== me.person) restore(me.person);
  state.open = kept.open;
  setUsers(hello.users);
  meet(me, true);
  setGroups(hello.groups);
  the("me").textContent = harmless(me.label);
  const firstTime = Object.keys(kept.marks).length === 0;
  forgetMessages();
  state.loading = true;
  try {
    const [pending, history] = await Promise.all([wire.ask("pending"), wire.ask("history", { count: BEGIN })]);
    for (const held of pending.held) state.held.set(held.id, held);
    spread(history.messages, history.messages.length < BEGIN);
    if (firstTime) {
      keepRead("all", "");
      for (const talk of state.conversations.values()) markRead(talk);
    }
    composer.settle();
  } catch (error) {
    if (error.lost) return;
    notice(error.message);
  }
  state.loading = false;
  open(state.open, false);
}

/** Puts messages of all conversations where they belong. */
function spread(list, whole) {
  const by = Map.groupBy(list, (message) => keyOf(message.to));
  conversation("all");
  for (const [key, of] of by) merge(key, of);
  if (whole) for (const talk of state.conversations.values()) talk.whole = true;
}

function delivered(message) {
  const key = keyOf(message.to);
  state.held.delete(message.id);
  if (message.fetched) {
    // It belongs further up; the history knows where.
    stale.add(key);
    fetchStale();
  } else {
    append(message);
  }
  changed();
}

async function lookAround() {
  try {
    const [users, groups] = await Promise.all([wire.ask("list_users"), wire.ask("list_groups")]);
    setUsers(users.users);
    setGroups(groups.groups);
    changed();
  } catch {
    // The next hello has them.
  }
}

/** Fetches the newest `count` messages of a conversation. */
async function load(key, count) {
  const talk = conversation(key);
  if (talk.asked >= count || talk.whole && !stale.has(key)) return;
  talk.asked = count;
  try {
    const history = await wire.ask("history", { of: targetOf(key), count });
    merge(key, history.messages);
    talk.whole = history.messages.length < count;
  } catch (error) {
    if (!error.lost) notice(error.message);
  }
  talk.asked = 0;
  changed();
}

function older() {
  const talk = conversation(state.open);
  const count = talk.messages.length + PAGE;
  if (!talk.whole && count <= MOST) load(talk.key, count);
}

// ---- what is open

function open(key, focus = true) {
  const before = state.conversations.get(state.open);
  if (before && state.open !== key) before.firstUnread = null;
  state.open = key;
  keepOpen(key);
  const talk = conversation(key);
  if (!talk.whole && talk.messages.length < PAGE && wire.isOpen) load(key, PAGE);
  the("find").value = "";
  view("chat");
  closeSearch();
  composer.show();
  changed();
  if (focus) the("text").focus();
}

function view(name) {
  document.body.dataset.view = name;
  changed();
}

async function join(group) {
  await act("join_group", { group }, (answer) => {
    merge(keyOfGroup(group), answer.history);
    open(keyOfGroup(answer.group.name));
  });
}

async function create(group) {
  await act("create_group", { group }, (answer) => {
    conversation(keyOfGroup(answer.group)).whole = true;
    open(keyOfGroup(answer.group));
  });
}

async function leave() {
  const [, group] = split(state.open);
  await act("leave_group", { group }, () => {
    notice(`You have left ${group}.`);
    open("all");
  });
}

async function act(command, fields, then) {
  try {
    const answer = await wire.ask(command, fields);
    await lookAround();
    then(answer);
  } catch (error) {
    notice(error.message);
  }
}

function render() {
  if (state.loading) return;
  const [kind, rest] = split(state.open);
  the("title").textContent = harmless(titleOf(state.open));
  the("subtitle").textContent = harmless(subtitle(kind, rest));
  the("leave").hidden = !(kind === "group" && state.groups.get(rest)?.member);
  messages.render();
  messages.renderHeld();
  lists.renderConversations();
  lists.renderPeople();
}

function subtitle(kind, rest) {
  if (kind === "group") {
    const group = state.groups.get(rest);
    if (!group?.member) return "You are not in this group";
    return group.members.length === 1 ? "You alone, until others join" : group.members.join(", ");
  }
  if (state.open === "all") return "Everyone on this network reads this";
  const people = rest.split(",");
  if (people.length > 1) return "You and they alone read this";
  const person = state.people.get(people[0]);
  return person?.present ? "You two alone read this" : "Away; gets it later. You two alone read this";
}

function notice(text) {
  the("notice-text").textContent = harmless(text);
  the("notice").hidden = false;
}

function connection(now) {
  const link = the("link");
  link.textContent = now === "on" ? "" : "not connected";
  link.classList.toggle("off", now !== "on");
  document.body.dataset.link = now;
  if (now === "on") {
    the("app").hidden = false;
  } else if (state.me) {
    // On a narrow screen the list with the state is out of sight.
    notice("Not connected to the peer. Trying again; what you write stays here.");
  }
  if (now === "on" && the("notice-text").textContent.startsWith("Not connected")) the("notice").hidden = true;
}

// ---- search

function closeSearch() {
  the("search").hidden = true;
  the("show-search").setAttribute("aria-expanded", "false");
  the("results").replaceChildren();
}

async function search(event) {
  event.preventDefault();
  const words = the("words").value.trim();
  if (words === "") return;
  const of = the("everywhere").checked ? {} : { of: targetOf(state.open) };
  try {
    const found = await wire.ask("search", { words, count: 50, ...of });
    const rows = found.messages.reverse().map(result);
    the("results").replaceChildren(...(rows.length > 0 ? rows : [make("li", "quiet", "No message has all of these words.")]));
  } catch (error) {
    notice(error.message);
  }
}

function result(message) {
  const key = keyOf(message.to);
  const date = dateOf(message);
  const row = make("button", "row", [named(message.from.label), make("span", "more", `${dayText(date)} ${timeText(date)}`)], { type: "button" });
  row.append(make("span", "more", ["in ", named(titleOf(key))]), make("span", "what", harmless(message.text), { dir: "auto" }));
  row.addEventListener("click", () => jump(key, message.id));
  return make("li", "", row);
}

/** Opens a conversation at a message, however far up it is. */
async function jump(key, id) {
  open(key, false);
  const talk = conversation(key);
  while (!talk.ids.has(id) && !talk.whole && talk.messages.length < MOST && wire.isOpen) {
    await load(key, Math.min(MOST, 2 * Math.max(PAGE, talk.messages.length)));
  }
  messages.render();
  if (!messages.showMessage(id)) notice("That message is too far up to be shown here.");
}

// ---- from the beginning

function begin() {
  // A link with a code opens this document, and another one logs in.
  if (location.hash !== "") return location.replace(`/enter${location.hash}`);
  restore();
  account.begin(wire);
  messages.begin({ older, changed, sendAgain: composer.sendAgain, discard: composer.discard });
  lists.begin({ open, join, create });
  composer.begin(wire, { changed, notice });
  the("find").addEventListener("input", changed);
  the("find").addEventListener("keydown", (event) => {
    // What is chosen is what was typed, even if no frame was drawn since.
    lists.renderConversations();
    if (event.key === "Enter") the("conversations").querySelector(".row")?.click();
    if (event.key === "ArrowDown") the("conversations").querySelector(".row")?.focus();
  });
  the("leave").addEventListener("click", leave);
  the("show-left").addEventListener("click", () => view("list"));
  the("show-people").addEventListener("click", () => view(document.body.dataset.view === "people" ? "chat" : "people"));
  the("hide-people").addEventListener("click", () => view("chat"));
  the("notice-close").addEventListener("click", () => (the("notice").hidden = true));
  the("search").addEventListener("submit", search);
  the("show-search").addEventListener("click", () => {
    if (!the("search").hidden) return closeSearch();
    the("search").hidden = false;
    the("show-search").setAttribute("aria-expanded", "true");
    the("words").focus();
  });
  addEventListener("keydown", shortcut);
  addEventListener("storage", (event) => {
    if (event.key === `causerie-read-${restoredFor()}` && event.newValue) {
      kept.marks = JSON.parse(event.newValue);
      changed();
    }
  });
  addEventListener("hashchange", () => location.replace(`/enter${location.hash}`));
  wire.connect();
}

function shortcut(event) {
  if (event.key === "Escape") {
    if (!the("search").hidden) closeSearch();
    else if (the("find").value !== "") the("find").value = "";
    else view("chat");
    if (state.me) the("text").focus();
    changed();
  } else if ((event.ctrlKey || event.metaKey) && event.key === "k") {
    event.preventDefault();
    view(matchMedia("(max-width: 639px)").matches ? "list" : "chat");
    the("find").focus();
  } else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const { all, groups, people } = lists.keysInOrder();
    const keys = [...all, ...groups, ...people];
    const at = keys.indexOf(state.open) + (event.key === "ArrowDown" ? 1 : -1);
    open(keys[(at + keys.length) % keys.length]);
  }
}

begin();
