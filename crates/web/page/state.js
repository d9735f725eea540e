// What the page knows of the peer: people, groups, conversations and their messages, what is held.

import { kept, keepRead } from "./kept.js";

/** Messages of a conversation that a tab keeps at most; search finds older ones. */
export const MOST = 5000;

export const state = {
  me: null,
  /** By peer id: `{who, present, me, groups}`. */
  people: new Map(),
  /** By name: `{name, member, members}`. */
  groups: new Map(),
  /** By key. */
  conversations: new Map(),
  /** By message id. */
  held: new Map(),
  open: "all",
  /** The history has not come yet. */
  loading: true,
};

export const keyOfPerson = (person) => `person:${person}`;
export const keyOfGroup = (group) => `group:${group}`;

/** The conversation that a message belongs to. */
export function keyOf(to) {
  if (to === "all") return "all";
  if (to.group !== undefined) return keyOfGroup(to.group);
  if (to.direct !== undefined) return keyOfPerson(to.direct.person);
  return `people:${to.people.map((who) => who.person).sort().join(",")}`;
}

/** Whom a conversation is with, as a request says it: by key, which means nobody else, whatever names there are. */
export function targetOf(key) {
  if (key === "all") return "all";
  const [kind, rest] = split(key);
  if (kind === "people") return { people: rest.split(",") };
  return { name: kind === "group" ? key : rest };
}

export function split(key) {
  const at = key.indexOf(":");
  return [key.slice(0, at), key.slice(at + 1)];
}

export function labelOf(person) {
  return state.people.get(person)?.who.label ?? `…${person.slice(-8)}`;
}

export function titleOf(key) {
  if (key === "all") return "Everybody";
  const [kind, rest] = split(key);
  if (kind === "group") return rest;
  return rest.split(",").map(labelOf).join(", ");
}

/** The conversation of that key; it begins here if there was none. */
export function conversation(key) {
  let found = state.conversations.get(key);
  if (!found) {
    found = { key, messages: [], ids: new Set(), whole: false, asked: 0, firstUnread: null };
    state.conversations.set(key, found);
  }
  return found;
}

/** Takes a person as a message or an event names them. */
export function meet(who, present) {
  const known = state.people.get(who.person);
  const me = who.person === state.me?.person;
  state.people.set(who.person, {
    who, me, present: present ?? known?.present ?? me, groups: known?.groups ?? [], listed: known?.listed ?? present !== undefined,
  });
}

/** Begins anew with a session: between two of them anything may have been missed. */
export function forgetMessages() {
  state.held.clear();
  for (const talk of state.conversations.values()) Object.assign(talk, { messages: [], ids: new Set(), whole: false, asked: 0 });
}

export function setUsers(users) {
  for (const person of state.people.values()) person.listed = false;
  for (const user of users) state.people.set(user.who.person, { ...user, listed: true });
}

export function setGroups(groups) {
  state.groups = new Map(groups.map((group) => [group.name, group]));
}

/** A message that was just delivered. */
export function append(message) {
  const talk = conversation(keyOf(message.to));
  if (talk.ids.has(message.id)) return null;
  if (!state.people.has(message.from.person)) meet(message.from);
  talk.ids.add(message.id);
  talk.messages.push(message);
  if (talk.messages.length > MOST) {
    for (const old of talk.messages.splice(0, MOST / 5)) talk.ids.delete(old.id);
    talk.whole = false;
  }
  return talk;
}

/** The newest messages of a conversation, as the history has them: what came since stays behind them. */
export function merge(key, list) {
  const talk = conversation(key);
  const listed = new Set(list.map((message) => message.id));
  const start = list.length > 0 ? talk.messages.findIndex((message) => message.id === list[0].id) : 0;
  const older = talk.messages.slice(0, Math.max(0, start));
  const newer = talk.messages.slice(Math.max(0, start)).filter((message) => !listed.has(message.id));
  talk.messages = [...older, ...list, ...newer];
  talk.ids = new Set(talk.messages.map((message) => message.id));
  for (const message of list) if (!state.people.has(message.from.person)) meet(message.from);
  return talk;
}

/** The place of the first message that this browser has not shown; the number of messages if there is none. */
export function unreadFrom(talk) {
  const { messages } = talk;
  const mark = kept.marks[talk.key];
  if (mark === undefined) return 0;
  const at = messages.findLastIndex((message) => message.id === mark);
  return at + 1;
}

export function unreadOf(talk) {
  let count = 0;
  for (let at = unreadFrom(talk); at < talk.messages.length; at++) if (!talk.messages[at].own) count++;
  return count;
}

export function markRead(talk) {
  const newest = talk.messages.at(-1);
  if (newest) keepRead(talk.key, newest.id);
}
