// Brings the parts together: logging in, the session's events, and what is open.

import * as account from "./account.js";
import * as composer from "./composer.js";
import * as delay from "./delay.js";
import { afterAWhile, harmless, onceAFrame, the } from "./dom.js";
import * as history from "./history.js";
import { keepOpen, kept, restore, restoredFor } from "./kept.js";
import * as keys from "./keys.js";
import * as lists from "./lists.js";
import * as messages from "./messages.js";
import * as notify from "./notify.js";
import * as order from "./order.js";
import * as search from "./search.js";
import {
  append, conversation, forgetMessages, keyOf, keyOfGroup, meet, merge, setGroups, setUnread, setUsers, split, state, targetOf, titleOf, unreadOf,
  withdraw,
} from "./state.js";
import { Wire } from "./wire.js";

const wire = new Wire({ line: heard, state: connection, loggedOut: () => account.leave() });
const changed = onceAFrame(render);
const refresh = afterAWhile(lookAround, 150);
const stale = new Set();
const fetchStale = afterAWhile(() => {
  for (const key of stale) history.newest(key, conversation(key).messages.length + history.PAGE);
  stale.clear();
}, 400);

// ---- the session

function heard(line) {
  if (line.hello !== undefined) return welcome(line);
  if (line.end !== undefined) return notice(line.end);
  order.changed();
  switch (line.event) {
    case "message":
      return delivered(line.message);
    case "held":
      state.held.set(line.held.id, line.held);
      return changed();
    case "released":
      state.held.delete(line.id);
      return changed();
    case "unread": {
      const key = keyOf(line.of);
      const before = unreadOf(key);
      setUnread(line);
      notify.unread(key, before);
      return changed();
    }
    case "delivered":
      for (const id of line.messages) if (!state.undelivered.delete(id)) state.early.add(id);
      return changed();
    case "scheduled":
      return delay.lookAgain();
    case "cancelled":
      withdraw(line.waiting.id);
      return delay.lookAgain();
    case "peer_up":
    case "peer_down":
      meet(line.who, line.event === "peer_up");
      changed();
      return refresh();
    case "person_changed":
      if (line.who.person === state.me.person) callMe(line.who);
      return refresh();
    case "forgotten":
      notice(
        line.who.person === line.by.person
          ? `${line.who.label} has deleted the account.`
          : `${line.who.label} is gone for good and forgotten, as ${line.by.label} says.`,
      );
      return refresh();
    case "name_taken":
      return nameTaken(line.who);
    case "group_appeared": case "group_joined": case "group_left": case "group_gone":
      return refresh();
    case "gap":
      return notice(`Some messages from ${line.from.label} were given up: no reachable peer has them.`);
    case "catching_up": case "caught_up":
      state.caughtUp = { key: state.open, before: null, text: caughtUpText(line) };
      return changed();
    case "connect_failed":
      return notice(`${line.address} cannot be reached: ${line.reason}`);
    case "problem": case "warning":
      return notice(line.text);
    default:
      return undefined;
  }
}

function caughtUpText({ event, messages, of, people }) {
  const number = (count) => count.toLocaleString("en");
  if (event === "catching_up") return `Catching up: ${number(messages)} of about ${number(of)}`;
  const from = people === 1 ? "one person" : `${people} people`;
  return `Caught up: ${number(messages)} message${messages === 1 ? "" : "s"} from ${from} while you were away`;
}

/** This user, under the name that they have now. */
function callMe(me) {
  state.me = me;
  the("me").textContent = harmless(me.label);
  settled(NAME_TAKEN);
}

/** The user has chosen another name. */
function renamed(me) {
  callMe(me);
  refresh();
}

const NAME_TAKEN = "Your name is also that of";

function nameTaken(who) {
  notice(`${NAME_TAKEN} ${who.label}, who had it first. To choose another one, click your name, above the conversations.`);
}

async function welcome(hello) {
  if (hello.hello !== 1) {
    wire.close();
    return notice("This page and the peer are of different versions: load the page again.");
  }
  const { me } = hello;
  if (state.me && state.me.person !== me.person) return location.reload();
  callMe(me);
  if (restoredFor() !== me.person) restore(me.person);
  state.open = kept.open;
  setUsers(hello.users);
  meet(me, true);
  setGroups(hello.groups);
  if (hello.name_taken_by) nameTaken(hello.name_taken_by);
  forgetMessages();
  hello.unread.forEach(setUnread);
  state.loading = true;
  try {
    const [pending] = await Promise.all([wire.ask("pending"), history.beginWithNewest()]);
    for (const held of pending.held) state.held.set(held.id, held);
    delay.take(pending);
    composer.settle();
  } catch (error) {
    if (error.lost) return;
    notice(error.message);
  }
  state.loading = false;
  open(state.open, false);
}

function delivered(message) {
  const key = keyOf(message.to);
  state.held.delete(message.id);
  if (message.fetched) {
    // It belongs further up; the history knows where.
    stale.add(key);
    fetchStale();
  } else if (message.own) {
    composer.said(message);
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

/** The peer keeps what was read, for every user interface. */
const markRead = afterAWhile(async (talk) => {
  const newest = talk.messages.findLast((message) => !message.own);
  // What cannot be marked now is marked with what comes next.
  if (newest) await wire.ask("read", { of: targetOf(talk.key), up_to: newest.id }).catch(() => null);
}, 100);

// ---- what is open

function open(key, focus = true) {
  const before = state.conversations.get(state.open);
  if (before && state.open !== key) before.firstUnread = null;
  state.open = key;
  keepOpen(key);
  const talk = conversation(key);
  if (!talk.whole && talk.messages.length < history.PAGE && wire.isOpen) history.newest(key);
  the("find").value = "";
  view("chat");
  search.close();
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
  delay.render();
  lists.renderConversations();
  lists.renderPeople();
  keys.render();
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
  if (person && !person.listed) return "Not in the chat any more; nothing reaches them";
  return person?.present ? "You two alone read this" : "Away; gets it later. You two alone read this";
}

function notice(text) {
  the("notice-text").textContent = harmless(text);
  the("notice").hidden = false;
}

/** What a notice told that begins so holds no more. */
function settled(begins) {
  if (the("notice-text").textContent.startsWith(begins)) the("notice").hidden = true;
}

const NOT_CONNECTED = "Not connected";

function connection(now) {
  const link = the("link");
  link.textContent = now === "on" ? "" : "not connected";
  link.classList.toggle("off", now !== "on");
  document.body.dataset.link = now;
  if (now === "on") {
    the("app").hidden = false;
  } else if (state.me) {
    // On a narrow screen the list with the state is out of sight.
    notice(`${NOT_CONNECTED} to the peer. Trying again; what you write stays here.`);
  }
  if (now === "on") settled(NOT_CONNECTED);
}

/** Opens a conversation at a message, wherever in the history it is. */
async function jump(key, id) {
  open(key, false);
  const is = await history.around(conversation(key), id);
  messages.render();
  if (!is || !messages.showMessage(id)) notice("That message is not here any more.");
}

// ---- from the beginning

function begin() {
  // A link with a code opens this document, and another one logs in.
  if (location.hash !== "") return location.replace(`/enter${location.hash}`);
  restore();
  account.begin(wire, { renamed });
  const here = () => conversation(state.open);
  history.begin(wire, { changed, notice });
  messages.begin({
    older: () => history.older(here()),
    newer: () => history.newer(here()),
    toNewest: () => history.toNewest(here()).then(messages.toEnd),
    read: markRead, jump, whoHas: delay.whoHas, sendAgain: composer.sendAgain, discard: composer.discard,
  });
  lists.begin({ open, join, create });
  keys.begin(wire, { changed, notice });
  composer.begin(wire, { changed, notice, later: delay.lookAgain });
  delay.begin(wire, { changed, notice, say: composer.submit, settled: (_, answer) => answer.waiting && withdraw(answer.waiting.id) });
  notify.begin(open);
  search.begin(wire, { jump, notice });
  order.begin(wire, { view, notice });
  the("find").addEventListener("input", changed);
  the("find").addEventListener("keydown", (event) => {
    // What is chosen is what was typed, even if no frame was drawn since.
    lists.renderConversations();
    if (event.key === "Enter") {
      // The field that gets the focus would take it as a new line.
      event.preventDefault();
      the("conversations").querySelector(".row")?.click();
    }
    if (event.key === "ArrowDown") the("conversations").querySelector(".row")?.focus();
  });
  the("leave").addEventListener("click", leave);
  the("show-left").addEventListener("click", () => view("list"));
  the("show-people").addEventListener("click", () => view(document.body.dataset.view === "people" ? "chat" : "people"));
  the("hide-people").addEventListener("click", () => view("chat"));
  the("notice-close").addEventListener("click", () => (the("notice").hidden = true));
  addEventListener("keydown", shortcut);
  addEventListener("hashchange", () => location.replace(`/enter${location.hash}`));
  wire.connect();
}

function shortcut(event) {
  if (event.key === "Escape") {
    if (document.querySelector("dialog[open]")) return;
    delay.close();
    if (search.isOpen()) search.close();
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
