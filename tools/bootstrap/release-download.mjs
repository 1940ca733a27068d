// @ts-check
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { lastLine, runCommand } from './run-command.mjs';
import { reasonOf } from './setup-problem.mjs';

/** To tell a closed network from a slow one. */
const ANSWER_LIMIT_MS = 10_000;
/** A release of some ten megabytes over a slow line. */
const DOWNLOAD_LIMIT_MS = 3 * 60_000;
/** Several times the size of the largest release we fetch: a stranger's endless answer ends here. */
const DOWNLOAD_BYTES_MAX = 128 * 1024 * 1024;

/**
 * Downloads a tar archive, checks it against its known digest before anything is unpacked, and unpacks it.
 *
 * @param {{ url: string, sha256: string, into: string }} release `into` is an existing empty directory
 * @returns {Promise<{ unpacked: true } | { unpacked: false, reason: string }>}
 */
export async function unpackRelease({ url, sha256, into }) {
  const fetched = await download(url);
  if (fetched.bytes === null) return { unpacked: false, reason: fetched.reason };
  const digest = createHash('sha256').update(fetched.bytes).digest('hex');
  if (digest !== sha256) return { unpacked: false, reason: `the download has sha256 ${digest}, not the one expected` };
  const archive = `${into}/release.tar.gz`;
  await writeFile(archive, fetched.bytes);
  const result = await runCommand('tar', ['-xzf', archive, '-C', into, '--strip-components=1']);
  await rm(archive);
  return result.code === 0 ? { unpacked: true } : { unpacked: false, reason: lastLine(result.stderr) };
}

/**
 * @param {string} url
 * @returns {Promise<{ bytes: Buffer } | { bytes: null, reason: string }>}
 */
async function download(url) {
  const refusal = new AbortController();
  const unanswered = setTimeout(() => refusal.abort(new Error('no answer')), ANSWER_LIMIT_MS);
  const signal = AbortSignal.any([refusal.signal, AbortSignal.timeout(DOWNLOAD_LIMIT_MS)]);
  try {
    const response = await fetch(url, { signal });
    clearTimeout(unanswered);
    if (!response.ok || response.body === null) return { bytes: null, reason: `${url} answered ${response.status}` };
    const chunks = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.byteLength;
      if (size > DOWNLOAD_BYTES_MAX)
        return { bytes: null, reason: `${url} sent more than ${DOWNLOAD_BYTES_MAX} bytes` };
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks) };
  } catch (error) {
    return { bytes: null, reason: `${new URL(url).host} cannot be reached: ${reasonOf(error)}` };
  } finally {
    clearTimeout(unanswered);
  }
}
