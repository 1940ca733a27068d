/** The head of a CGI answer: status, headers, and what already came of the body. */
export interface CgiHead {
  status: number;
  headers: Record<string, string>;
  rest: Buffer;
}

/** Reads the head of a CGI answer (RFC 3875); null while it is incomplete. */
export function parseCgiHeaders(bytes: Buffer): CgiHead | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of bytes.subarray(0, end).toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const name = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers, rest: bytes.subarray(end + 4) };
}
