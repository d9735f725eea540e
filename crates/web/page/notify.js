// Notifications of the system, once the user has asked for them: for messages to them alone, and those that name them.

import { harmless, the } from "./dom.js";
import { conversation, labelOf, split, titleOf, unreadOf } from "./state.js";

const button = the("notify");
let open = null;

/** `opens` opens a conversation by its key. */
export function begin(opens) {
  open = opens;
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    show();
  });
  show();
}

/** The button is there as long as the user has not decided. */
function show() {
  button.hidden = typeof Notification === "undefined" || Notification.permission !== "default";
}

/** There is more that is unread in a conversation than `before`. Nobody is told of what they look at. */
export function unread(key, before) {
  if (typeof Notification === "undefined" || Notification.permission !== "granted" || !document.hidden) return;
  const now = unreadOf(key);
  const isDirect = ["person", "people"].includes(split(key)[0]);
  if (!(now.mentions > before.mentions || (isDirect && now.unread > before.unread))) return;
  const newest = conversation(key).messages.findLast((message) => !message.own);
  if (!newest) return;
  const where = isDirect ? "" : ` in ${titleOf(key)}`;
  const title = harmless(labelOf(newest.from.person) + where);
  // One for each conversation: the newest takes the place of the one before.
  const told = new Notification(title, { body: harmless(newest.text).slice(0, 200), tag: key, icon: "/icon.svg" });
  told.onclick = () => {
    focus();
    open(key);
    told.close();
  };
}
