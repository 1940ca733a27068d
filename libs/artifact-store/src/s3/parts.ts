/** Cuts bytes into parts of one size, the last of which may be smaller; nothing when there are no bytes. */
export async function* partsOf(source: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (heldBytes + rest.byteLength >= partBytes) {
      const last = rest.subarray(0, partBytes - heldBytes);
      yield Buffer.concat([...held, last]);
      rest = rest.subarray(last.byteLength);
      held = [];
      heldBytes = 0;
    }
    if (rest.byteLength > 0) held.push(rest);
    heldBytes += rest.byteLength;
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}
