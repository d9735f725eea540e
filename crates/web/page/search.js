// Looking for messages, and going to them.

import { dateOf, dayText, harmless, make, named, the, timeText } from "./dom.js";
import { keyOf, state, targetOf, titleOf } from "./state.js";

let act = null;
let wire = null;

/** `actions` has `jump(key, id)` and `notice(text)`. */
export function begin(connection, actions) {
  act = actions;
  wire = connection;
  the("search").addEventListener("submit", search);
  the("show-search").addEventListener("click", () => {
    if (!the("search").hidden) return close();
    the("search").hidden = false;
    the("show-search").setAttribute("aria-expanded", "true");
    the("words").focus();
  });
}

export const isOpen = () => !the("search").hidden;

export function close() {
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
    act.notice(error.message);
  }
}

function result(message) {
  const key = keyOf(message.to);
  const date = dateOf(message);
  const row = make("button", "row", [named(message.from.label), make("span", "more", `${dayText(date)} ${timeText(date)}`)], { type: "button" });
  row.append(make("span", "more", ["in ", named(titleOf(key))]), make("span", "what", harmless(message.text), { dir: "auto" }));
  row.addEventListener("click", () => act.jump(key, message.id));
  return make("li", "", row);
}
