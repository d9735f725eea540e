// Sending later, to show causal order: what waits to go out, and taking it back.

import { harmless, make, named, the } from "./dom.js";
import { keyOf, state, titleOf } from "./state.js";

/** Seconds: the longest delay. */
const LONGEST = 3600;

let act = null;
let wire = null;
let timer = null;

/** `actions` has `changed()`, `notice(text)` and `say(delay_ms)`, which sends what is typed. */
export function begin(connection, actions) {
  act = actions;
  wire = connection;
  the("show-delay").addEventListener("click", () => {
    if (!the("delay").hidden) {
      close();
      the("text").focus();
      return;
    }
    the("delay").hidden = false;
    the("show-delay").setAttribute("aria-expanded", "true");
    the("seconds").focus();
  });
  the("delay").addEventListener("submit", (event) => {
    event.preventDefault();
    const seconds = the("seconds").valueAsNumber;
    if (!(seconds > 0 && seconds <= LONGEST)) return act.notice(`A message can wait for 1 to ${LONGEST} seconds.`);
    if (the("text").value.trim() === "") return act.notice("Write the message first.");
    act.say(Math.round(seconds * 1000));
    the("text").focus();
  });
}

export function close() {
  the("delay").hidden = true;
  the("show-delay").setAttribute("aria-expanded", "false");
}

/** Asks the peer what waits, and what is on its way. */
export async function lookAgain() {
  try {
    take(await wire.ask("pending"));
  } catch {
    // The next hello asks again.
  }
  act.changed();
}

/** Takes what the peer says of that. */
export function take(pending) {
  state.waiting = new Map(pending.waiting.map((text) => [text.number, text]));
  state.undelivered = new Set(pending.undelivered);
  clearTimeout(timer);
  const due = pending.waiting.flatMap((text) => text.due_at ?? []);
  if (due.length > 0) timer = setTimeout(lookAgain, Math.max(500, Math.min(...due) / 1000 - Date.now() + 200));
}

async function ask(command, number) {
  try {
    const answer = await wire.ask(command, { number });
    act.settled(command, answer);
  } catch (error) {
    act.notice(error.message);
  }
  await lookAgain();
}

/** The texts of the open conversation that wait, above the field. */
export function render() {
  const here = [...state.waiting.values()].filter((text) => keyOf(text.to) === state.open);
  const key = here.map((text) => `${text.number} ${text.due_at}`).join();
  const list = the("waiting");
  list.hidden = here.length === 0;
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...here.map(row));
}

function row(text) {
  const when = text.due_at === null ? "Not sent" : `Goes out at ${new Date(text.due_at / 1000).toLocaleTimeString()}`;
  const back = make("button", "plain", "Take back", { type: "button" });
  back.addEventListener("click", () => ask("cancel", text.number));
  const parts = [make("span", "tag", when), make("span", "what", harmless(text.text), { dir: "auto" }), back];
  if (text.id === null) {
    const now = make("button", "plain", "Send now", { type: "button" });
    now.addEventListener("click", () => ask("resend", text.number));
    parts.push(now);
  }
  return make("li", "", parts, { "aria-label": `${when}, to ${titleOf(keyOf(text.to))}` });
}

/** Who has a message of this user. */
export async function whoHas(id) {
  try {
    const seen = await wire.ask("seen", { message: id });
    const part = (title, people) => (people.length === 0 ? [] : [make("h3", "", title), make("ul", "", people.map((who) => make("li", "", named(who.label))))]);
    const lists = [...part("Has it", seen.by), ...part("Is here, and has not got it yet", seen.not_by), ...part("Away; gets it later", seen.away)];
    the("who-has").replaceChildren(...(lists.length > 0 ? lists : [make("p", "quiet", "It was addressed to nobody else.")]));
    the("who-has-text").textContent = harmless(seen.message.text);
    the("who").showModal();
  } catch (error) {
    act.notice(error.message);
  }
}
