// What of the history a tab has, and how it gets more of it.

import { conversation, extend, keyOf, merge, prepend, show, state, targetOf } from "./state.js";

/** Messages of all conversations that a tab begins with, and of one that are fetched at a time. */
const BEGIN = 500;
export const PAGE = 100;

let act = null;
let wire = null;

/** `actions` has `changed()` and `notice(text)`. */
export function begin(connection, actions) {
  act = actions;
  wire = connection;
}

/** The newest messages of all conversations, each where it belongs. */
export async function beginWithNewest() {
  const { messages } = await wire.ask("history", { count: BEGIN });
  const by = Map.groupBy(messages, (message) => keyOf(message.to));
  conversation("all");
  for (const [key, of] of by) merge(key, of);
  if (messages.length === 0) for (const talk of state.conversations.values()) talk.whole = true;
}

/** One request for a conversation at a time. */
async function ask(talk, work) {
  if (talk.asking || !wire.isOpen) return;
  talk.asking = true;
  try {
    await work((fields) => wire.ask("history", { of: targetOf(talk.key), count: PAGE, ...fields }));
    talk.grew = true;
  } catch (error) {
    if (!error.lost) act.notice(error.message);
  }
  talk.asking = false;
  act.changed();
}

/** Fetches the newest messages, `count` at least, where the end of the history is here. */
export function newest(key, count = PAGE) {
  const talk = conversation(key);
  if (!talk.live) return undefined;
  return ask(talk, async (history) => {
    const { messages } = await history({ count });
    merge(key, messages);
    talk.whole = messages.length === 0;
  });
}

/** Fetches what is older than what is here. */
export function older(talk) {
  if (talk.whole) return undefined;
  if (talk.messages.length === 0) return newest(talk.key);
  return ask(talk, async (history) => {
    const { messages } = await history({ before: talk.messages[0].id });
    if (messages.length === 0) talk.whole = true;
    else prepend(talk, messages);
  });
}

/** Fetches what is newer than what is here, where that does not end with the newest. */
export function newer(talk) {
  if (talk.live) return undefined;
  return ask(talk, async (history) => {
    const missed = talk.missed;
    const { messages } = await history({ after: talk.messages.at(-1).id });
    extend(talk, messages);
    // What was delivered meanwhile is behind it.
    talk.live = messages.length === 0 && talk.missed === missed;
  });
}

/** Goes to the newest messages from wherever in the history. */
export async function toNewest(talk) {
  if (!talk.live) show(talk, [], true);
  await newest(talk.key);
}

/** Fetches what stands around a message that is not here; whether it is now. */
export async function around(talk, id) {
  if (talk.ids.has(id)) return true;
  const at = id.lastIndexOf(":");
  const that = { author: id.slice(0, at), clock: Number(id.slice(at + 1)) };
  await ask(talk, async (history) => {
    const missed = talk.missed;
    const [before, it, after] = await Promise.all([history({ before: id }), wire.ask("show", that), history({ after: id })]);
    const live = after.messages.length === 0 && talk.missed === missed;
    show(talk, [...before.messages, it.message, ...after.messages], live);
    talk.whole = before.messages.length === 0;
  });
  return talk.ids.has(id);
}
