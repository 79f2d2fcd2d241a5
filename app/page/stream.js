// Server-sent events by fetch: EventSource hides the status, and hears no type it does not know.

import { Problem } from "./api.js";

/**
 * The messages of a stream (WHATWG HTML 9.2.6). Throws `Problem` where it is refused.
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{id: string, event: string, data: string}>}
 */
export async function* readStream(url, signal) {
  const answer = await fetch(url, { signal, headers: { Accept: "text/event-stream" } });
  if (!answer.ok || answer.body === null) throw new Problem({ status: answer.status });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (kept + value).split("\n\n");
    kept = /** @type {string} */ (blocks.pop());
    for (const block of blocks) yield parse(block);
  }
}

/** @param {string} block */
function parse(block) {
  const message = { id: "", event: "", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") message.id = value;
    if (name === "event") message.event = value;
    if (name === "data") message.data += value;
  }
  return message;
}
