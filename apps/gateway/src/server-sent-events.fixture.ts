/** One server-sent event as a client sees it. */
export interface ServerSentEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

/** Reads events from an answer until `enough` says so, then lets go of the stream. */
export async function readEvents(
  response: Response,
  enough: (events: readonly ServerSentEvent[]) => boolean,
): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  let text = '';
  if (response.body === null) throw new Error('the answer has no body');
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const event = eventIn(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== null) events.push(event);
    }
    if (enough(events)) break;
  }
  return events;
}

/** Null for a comment. */
function eventIn(block: string): ServerSentEvent | null {
  const fields = new Map(
    block.split('\n').map((line) => [line.split(': ', 1)[0] ?? '', line.slice(line.indexOf(': ') + 2)]),
  );
  const data = fields.get('data');
  if (data === undefined) return null;
  return { id: fields.get('id') ?? '', type: fields.get('event') ?? 'message', data: JSON.parse(data) as unknown };
}
