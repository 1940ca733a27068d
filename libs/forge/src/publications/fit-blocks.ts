const bytesOf = (text: string): number => Buffer.byteLength(text);

/**
 * Puts Markdown blocks together, a blank line between each, and leaves out the last ones when they do not fit: a block is
 * whole or absent, so nothing is cut inside a fence or a table. What was left out is said, with the place to read it.
 */
export function fitBlocks(blocks: readonly string[], bytesMax: number, moreAt: string): string {
  const whole = blocks.join('\n\n');
  if (bytesOf(whole) <= bytesMax) return whole;
  const more = `_This is not all of it: the rest is at ${moreAt}_`;
  const kept: string[] = [];
  let size = bytesOf(more);
  for (const block of blocks) {
    size += bytesOf(block) + 2;
    if (size > bytesMax) break;
    kept.push(block);
  }
  return [...kept, more].join('\n\n');
}
