import type { RunnerRequirement } from './runner/requirements.ts';

/** The example runner with one mistake in it, and the requirement that has to notice. */
export interface BrokenRunner {
  readonly mistake: string;
  /** A piece of the example, which is in it once, and what stands there instead. */
  readonly piece: string;
  readonly instead: string;
  readonly caught: RunnerRequirement;
}

const broken = (caught: RunnerRequirement, mistake: string, piece: string, instead: string): BrokenRunner => ({
  caught,
  mistake,
  piece,
  instead,
});

export const BROKEN_RUNNERS: readonly BrokenRunner[] = [
  broken(
    'registers',
    'a pool of its own choice',
    `'pool': os.environ.get('DELTA_POOL', 'default')`,
    `'pool': 'default'`,
  ),
  broken(
    'registers-patiently',
    'Retry-After passed over when it comes in',
    `max(wait, random.uniform(0, bound))`,
    `random.uniform(0, bound)`,
  ),
  broken(
    'unknown-codes',
    'an end at a refusal of a newer gateway',
    `if code and error.code < 500 and error.code not in (408, 429):`,
    `if code not in (None, 'rate_limited', 'internal', 'unavailable', 'timed_out'):`,
  ),
  broken('unknown-codes', 'a Retry-After that outwaits the lease', `longest=self.offer['ttlMs'] / 4000, `, ``),
  broken(
    'polls-once',
    'asking for work beside a job',
    `                work(lease)`,
    `                threading.Thread(target=work, args=[lease]).start()`,
  ),
  broken(
    'acknowledges-again',
    'one try to acknowledge',
    `if self.say('/ack') is None:`,
    `if try_once('POST', self.path + '/ack', self.token())[1] is not None:`,
  ),
  broken('source-is-there', 'a missing commit under another name', `No('source_unavailable',`, `No('internal',`),
  broken('step-environment', 'no CI in the environment', `'CI': 'true', `, ``),
  broken(
    'phases-forward',
    'phases back and forth',
    `sent_at, patience = now(), self.offer['ttlMs'] / 4000`,
    `sent_at, patience = now(), self.offer['ttlMs'] / 4000\n            self.phase = 'starting' if self.phase == 'running' else 'running'`,
  ),
  broken(
    'heartbeat-trouble',
    'an end with the first heartbeat that fails',
    `if wait is None and answer['extend']:`,
    `if wait is not None:\n                self.lost = True\n            elif answer['extend']:`,
  ),
  broken(
    'log-in-order',
    'a log that begins behind its beginning',
    `lease, b'', 0, 0, False`,
    `lease, b'', 5, 0, False`,
  ),
  broken(
    'artifact-again',
    'one try for an artifact',
    `if lease.say('/artifacts?' + told, 'PUT', body=content, kind=BYTES, timeout=1800):`,
    `if try_once('PUT', lease.path + '/artifacts?' + told, lease.token(), content, BYTES)[0]:`,
  ),
  broken(
    'granted-upload',
    'requests to the store without what was granted with them',
    `request['headers'], method=request['method']`,
    `{}, method=request['method']`,
  ),
  broken(
    'granted-upload',
    'its token shown to the store',
    `request['headers'], method=request['method']`,
    `{**request['headers'], 'Authorization': 'Bearer ' + os.environ['DELTA_REGISTRATION_TOKEN']}, method=request['method']`,
  ),
  broken('grant-over', 'a grant that is over taken for an upload', `return error.code == 412`, `return True`),
  broken(
    'report-refused',
    'a stale report again and again',
    `if code and error.code < 500 and error.code not in (408, 429):`,
    `if code not in (None, 'stale_lease') and error.code < 500 and error.code not in (408, 429):`,
  ),
  broken('well-formed', 'a field of its own', `'version': '1',`, `'version': '1', 'colour': 'red',`),
  broken(
    'right-token',
    'the registration token for everything',
    `self.value = answer['token']`,
    `self.value = os.environ['DELTA_REGISTRATION_TOKEN']`,
  ),
  broken(
    'unknown-fields',
    'answers taken by their number of fields',
    `self.value = answer['token']`,
    `_, self.value, _ = answer.values()`,
  ),
  broken('keeps-secrets', 'a secret in the summary', `'summary': outcome,`, `'summary': str(offer['secrets']),`),
  broken(
    'takes-no',
    'a refusal that looks like success',
    `sys.exit(f'the gateway refuses this runner: {no}')`,
    `sys.exit(0)`,
  ),
  broken('renews-token', 'a token that is never renewed', `if now() >= self.renew_at:`, `if False:`),
  broken(
    'polls-again',
    'an end when there is no work',
    `if offer and not ending.is_set():`,
    `if not offer:\n            return\n        if True:`,
  ),
  broken(
    'polls-patiently',
    'Retry-After passed over',
    `max(wait, random.uniform(0, bound))`,
    `random.uniform(0, bound)`,
  ),
  broken('ends-idle', 'a failure when told to end', `lambda *_: ending.set())`, `lambda *_: os._exit(3))`),
  broken('acknowledges-first', 'work without acknowledgement', `if self.say('/ack') is None:`, `if False:`),
  broken(
    'acknowledged-late',
    'work after a late acknowledgement',
    `        if self.say('/ack') is None:\n            return False`,
    `        self.say('/ack')\n        self.lost = False`,
  ),
  broken('refuses-what-it-lacks', 'images passed over', `('image', 'services', 'source')`, `('services', 'source')`),
  broken('tree-is-checked', 'a tree that nobody compares', `.stdout.strip() != source['tree']`, `.returncode != 0`),
  broken(
    'tests-the-commit',
    'the head of the branch',
    `workspace, 'checkout', '--force', source['commit'])`,
    `workspace, 'fetch', '--', source['cloneUrl'], source['ref'])\n    git('--work-tree', workspace, 'checkout', '--force', 'FETCH_HEAD')`,
  ),
  broken(
    'source-token',
    'a credential in the environment of steps',
    `**job['env'], **offer['secrets']}`,
    `**job['env'], **offer['secrets'], 'SOURCE': offer['source']['token'] or ''}`,
  ),
  broken(
    'own-environment',
    'its own environment for steps',
    `env = {'PATH': os.environ['PATH'], 'HOME': home,`,
    `env = {**os.environ, 'HOME': home,`,
  ),
  broken(
    'runs-in-order',
    'steps that go on behind a failure',
    `if failed and not (others_run and step.get('independent')):`,
    `if False:`,
  ),
  broken('independent-steps', 'independent steps like any other', `step.get('independent') and not stopped`, `False`),
  broken(
    'stops-in-time',
    'the job’s time passed over',
    `now() > min(deadline, last_word + idle_s)`,
    `now() > last_word + idle_s`,
  ),
  broken('stops-when-idle', 'silence passed over', `now() > min(deadline, last_word + idle_s)`, `now() > deadline`),
  broken('reports-signal', 'a signal that nobody hears of', `(None, signal.Signals(-code).name)`, `(128 - code, None)`),
  broken(
    'heartbeats',
    'no heartbeats',
    `threading.Thread(target=self.beat, daemon=True).start()`,
    `self.lives_until += 600`,
  ),
  broken('cancels', 'a cancel passed over', `self.canceled = self.canceled or answer['cancelRequested']`, `pass`),
  broken('lets-go', 'a lost lease passed over', `self.lost = self.lost or no.args[0] == 'stale_lease'`, `pass`),
  broken(
    'lost-contact',
    'a lease that lives for ever',
    `return self.lost or now() > self.lives_until`,
    `return self.lost`,
  ),
  broken(
    'log-exact',
    'a log of text alone',
    `log.kept + data, now()`,
    `log.kept + data.decode(errors='replace').encode(), now()`,
  ),
  broken('log-live', 'a log at the end', `        log.flush()\n        timed_out`, `        timed_out`),
  broken(
    'log-again',
    'a chunk that was not answered left out',
    `        if wait is None:\n            return answer`,
    `        if wait is None or '/log' in path:\n            return answer or {'nextOffset': int(path.split('=')[1]) + len(more['body'])}`,
  ),
  broken(
    'log-follows-answer',
    'its own count of the log',
    `out, self.offset = out[answer['nextOffset'] - self.offset :], answer['nextOffset']`,
    `out, self.offset = out[MIB:], self.offset + len(out[:MIB])`,
  ),
  broken('log-capped', 'a log without end', `elif len(out) > room:`, `elif False:`),
  broken('masks', 'secrets as they are', `self.secret.sub(b'***', self.kept[:whole])`, `self.kept[:whole]`),
  broken(
    'masks-encoded',
    'encoded secrets as they are',
    `        yield from (raw, raw.hex().encode(), raw.hex().upper().encode())`,
    `        yield raw\n        continue`,
  ),
  broken('sends-artifacts', 'other days than were asked for', `days = wanted['retentionDays']`, `days = 1`),
  broken(
    'follows-no-link',
    'links that are followed',
    `not os.path.isfile(whole) or os.path.realpath(whole) != os.path.join(os.path.realpath(workspace), path)`,
    `not os.path.isfile(whole)`,
  ),
  broken(
    'artifact-refused',
    'a refused artifact in the report',
    `                log.kept += f'[delta] artifact`,
    `                sent.append(artifact)\n                log.kept += f'[delta] artifact`,
  ),
  broken('completes', 'no exit codes', `'exitCode': decides['exitCode']`, `'exitCode': None`),
  broken(
    'completes-once',
    'last words',
    `body=json.dumps(report).encode())`,
    `body=json.dumps(report).encode())\n    time.sleep(0.4)\n    lease.say('/ack')`,
  ),
  broken(
    'completes-again',
    'another report when the first was not answered',
    `body=json.dumps(report).encode())`,
    `body=json.dumps({**report, 'summary': str(now())}).encode()) if try_once('POST', lease.path + '/complete', lease.token(), json.dumps(report).encode())[1] is not None else None`,
  ),
  broken('reports-log', 'a length that is not the log’s', `'logBytes': log.taken`, `'logBytes': 0`),
  broken(
    'hands-back',
    'a job that is dropped when told to end',
    `raise No('runner_shutdown', 'the runner was told to stop')`,
    `os._exit(0)`,
  ),
];
