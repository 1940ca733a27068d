import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HELLO_BYTES_MAX, readServerName } from './server-name.ts';

/** What Node's own TLS client says first. */
async function greetingFor(servername: string | undefined): Promise<Buffer> {
  const said = Promise.withResolvers<Buffer>();
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      said.resolve(chunk);
      done();
    },
  });
  const client = connect({ socket: wire, ...(servername === undefined ? {} : { servername }) });
  client.on('error', () => undefined);
  const bytes = await said.promise;
  client.destroy();
  await once(client, 'close');
  return bytes;
}

const hello = await greetingFor('registry.example.org');
const named = { kind: 'hello', serverName: 'registry.example.org' };

/** The same greeting in records of these lengths. */
function inRecords(greeting: Buffer, lengths: readonly number[]): Buffer {
  const version = greeting.subarray(1, 3);
  let message = greeting.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; message.length > 0; at += 1) {
    const fragment = message.subarray(0, lengths[at % lengths.length]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(fragment.length);
    records.push(Buffer.of(22), version, length, fragment);
    message = message.subarray(fragment.length);
  }
  return Buffer.concat(records);
}

describe('the server a TLS client asks for', () => {
  it('is read from a real greeting, whatever comes after it', () => {
    expect(readServerName(hello)).toEqual(named);
    expect(readServerName(Buffer.concat([hello, Buffer.from('more')]))).toEqual(named);
  });

  it('is null where a greeting names none', async () => {
    expect(readServerName(await greetingFor(undefined))).toEqual({ kind: 'hello', serverName: null });
  });

  it('is not known before the greeting is whole, and every part of it asks for more than it has', () => {
    for (let length = 0; length < hello.length; length += 1) {
      const said = readServerName(hello.subarray(0, length));
      expect(said).toMatchObject({ kind: 'incomplete' });
      expect(said.kind === 'incomplete' && said.readsOnAt > length && said.readsOnAt <= hello.length).toBe(true);
    }
  });

  it('is read from a greeting cut into records anywhere, once all of them are there', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lengths, (cuts) => {
        const cut = inRecords(hello, cuts);
        expect(readServerName(cut)).toEqual(named);
        expect(readServerName(cut.subarray(0, -1))).toMatchObject({ kind: 'incomplete' });
      }),
    );
  });

  it('never throws, never names more than it was sent, and never waits for more than its bound', () => {
    const damage = fc.record({ at: fc.nat(hello.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(damage, { maxLength: 4 }), fc.uint8Array({ maxLength: 40 }), (damages, tail) => {
        const bytes = Buffer.concat([hello, tail]);
        for (const { at, to } of damages) bytes[at] = to;
        const said = readServerName(bytes);
        const waitsFor = said.kind === 'incomplete' ? said.readsOnAt : 0;
        const nameLength = said.kind === 'hello' ? (said.serverName ?? '').length : 0;
        expect(waitsFor).toBeLessThanOrEqual(HELLO_BYTES_MAX);
        expect(nameLength).toBeLessThan(bytes.length);
      }),
    );
  });

  it.each([
    ['a request', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ['a record without content', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0xff, 0xff])],
    ['a message that is none of a client', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a greeting longer than any', Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff])],
    ['no SSL of this century', Buffer.from([0x80, 0x2e, 1, 3, 0])],
  ])('is not looked for in %s', (_, bytes) => {
    expect(readServerName(bytes)).toEqual({ kind: 'not-tls' });
  });

  it('is not believed when a greeting names two', () => {
    const from = hello.indexOf('registry.example.org') - 9;
    const extension = hello.subarray(from, from + 9 + 'registry.example.org'.length);
    const twice = Buffer.concat([hello, extension]);
    const extensionsAt = lengthOfExtensionsAt(hello);
    twice.writeUInt16BE(twice.readUInt16BE(extensionsAt) + extension.length, extensionsAt);
    twice.writeUIntBE(twice.readUIntBE(6, 3) + extension.length, 6, 3);
    twice.writeUInt16BE(twice.readUInt16BE(3) + extension.length, 3);
    expect(readServerName(twice)).toEqual({ kind: 'not-tls' });
  });
});

/** Behind version, random, session, ciphers and compression. */
function lengthOfExtensionsAt(greeting: Buffer): number {
  let at = 5 + 4 + 2 + 32;
  at += 1 + greeting.readUInt8(at);
  at += 2 + greeting.readUInt16BE(at);
  return at + 1 + greeting.readUInt8(at);
}
