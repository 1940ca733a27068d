import { wholeCharacters } from './whole-characters.ts';

const LINE_FEED = 0x0a;

/**
 * Lines of which none has more than `bytesMax` bytes and, where it was cut, a remark that says so: whoever reads by line can
 * hold every line, whatever a job wrote. Holds nothing itself.
 */
export async function* cappedLines(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Uint8Array> {
  const line = { bytes: 0, cut: 0 };
  for await (const chunk of chunks) {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      const feed = chunk.indexOf(LINE_FEED, at);
      const end = feed === -1 ? chunk.length : feed;
      parts.push(takeIn(line, chunk.subarray(at, end), bytesMax));
      if (feed !== -1) parts.push(endOf(line), chunk.subarray(feed, feed + 1));
      at = end + (feed === -1 ? 0 : 1);
    }
    const bytes = Buffer.concat(parts);
    if (bytes.length > 0) yield bytes;
  }
  const rest = endOf(line);
  if (rest.length > 0) yield rest;
}

interface Line {
  bytes: number;
  cut: number;
}

/** As much of a piece of a line as there is room for. */
function takeIn(line: Line, piece: Uint8Array, bytesMax: number): Uint8Array {
  const room = line.cut > 0 ? 0 : bytesMax - line.bytes;
  const fits = piece.length <= room ? piece : piece.subarray(0, wholeCharacters(piece.subarray(0, room)));
  line.bytes += fits.length;
  line.cut += piece.length - fits.length;
  return fits;
}

/** What is said of a line that ends here, and the next begins. */
function endOf(line: Line): Uint8Array {
  const said = line.cut === 0 ? '' : ` [delta] ${line.cut} bytes of this line are left out`;
  line.bytes = 0;
  line.cut = 0;
  return Buffer.from(said);
}
