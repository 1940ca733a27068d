#!/usr/bin/env python3
"""A small runner of Delta CI, written by docs/runner-protocol.md with the standard library alone.

It shows the protocol, not isolation: jobs run as this very user, so it offers the tier `process` and is for code that is
trusted as much as the runner. It takes jobs one after the other until it is told to end (SIGTERM).
"""
import base64, contextlib, glob, hashlib, http.client, json, os, random, re, shutil, signal, subprocess, sys, tempfile
import threading, time, urllib.error, urllib.parse, urllib.request

BASE = os.environ['DELTA_GATEWAY_URL'].rstrip('/') + '/runner/v1'
MIB = 1024 * 1024
LOG_BYTES_MAX = 64 * MIB
BYTES = 'application/octet-stream'
now = time.monotonic
usage = lambda began: {'wallMs': (now() - began) * 1000, 'cpuMs': None, 'memoryPeakBytes': None}
ending = threading.Event()

class No(Exception):
    """The code of a refusal; or that of an infrastructure error, and a message."""

http_client = urllib.request.OpenerDirector()  # Without the part that follows redirects.
for part in ('HTTPHandler', 'HTTPSHandler', 'HTTPErrorProcessor', 'HTTPDefaultErrorHandler'):
    http_client.add_handler(getattr(urllib.request, part)())

def try_once(method, path, token, body=b'{}', kind='application/json', timeout=20.0):
    """(answer, None), or (None, seconds to wait at least) when it has to be tried again. Raises No."""
    headers = {'Authorization': f'Bearer {token}', 'Content-Type': kind}
    try:
        with http_client.open(urllib.request.Request(BASE + path, body, headers, method=method), timeout=timeout) as answer:
            return json.loads(answer.read() or b'null'), None
    except urllib.error.HTTPError as error:
        try:
            code = json.loads(error.read())['error']['code']
        except (ValueError, LookupError, TypeError, OSError, http.client.HTTPException):
            code = None
        if code and error.code < 500 and error.code not in (408, 429):  # Of a code that is new the status says enough.
            raise No(code) from None
        seconds = error.headers.get('Retry-After') or ''
        return None, float(seconds) if seconds.isdecimal() else 0.0
    except (OSError, ValueError, http.client.HTTPException):
        return None, 0.0

def repeat(method, path, token, over=ending.is_set, longest=3600.0, **more):
    """Repeats a call until it is answered; None when `over()` says so first, and for an answer without content."""
    bound = 0.2
    while not over():
        answer, wait = try_once(method, path, token(), **more)
        if wait is None:
            return answer
        until, bound = now() + min(longest, max(wait, random.uniform(0, bound))), min(5, bound * 2)
        while now() < until and not over():
            time.sleep(0.02)
    return None

class Token:
    """This runner's own token, renewed when a third of its life is over."""

    def __init__(self, answer):
        self.value = answer['token']
        self.renew_at = now() + max(0.2, (answer['tokenExpiresAtMs'] / 1000 - time.time()) / 3)

    def __call__(self):
        if now() >= self.renew_at:
            answer, _ = try_once('POST', '/token', self.value)
            if answer:
                self.__init__(answer)
        return self.value

class Lease:
    """A lease, its heartbeats, and whether the job has to stop."""

    def __init__(self, offer, token):
        self.offer, self.token, self.path = offer, token, '/leases/' + offer['leaseId']
        self.lost, self.canceled, self.over = False, False, threading.Event()
        self.phase, self.log_bytes, self.lives_until = 'starting', 0, now() + offer['acceptanceMs'] / 1000

    def gone(self):
        return self.lost or now() > self.lives_until

    def has_to_stop(self):
        return self.gone() or self.canceled or ending.is_set()

    def say(self, what, method='POST', **more):
        """A word under this lease, repeated as long as the lease lives; None when it does no longer."""
        try:
            return repeat(method, self.path + what, self.token, over=self.gone, longest=self.offer['ttlMs'] / 4000, **more)
        except No as no:
            if no.args[0] not in ('stale_lease', 'conflicting_repeat'):
                raise
            self.lost = True

    def acknowledge(self):
        sent_at = now()
        if self.say('/ack') is None:
            return False
        self.lives_until = sent_at + self.offer['ttlMs'] / 1000
        threading.Thread(target=self.beat, daemon=True).start()
        return True

    def beat(self):
        while not self.over.wait(self.offer['heartbeatMs'] / 1000) and not self.gone():
            sent_at, patience = now(), self.offer['ttlMs'] / 4000
            beat = {'phase': self.phase, 'percent': None, 'step': None, 'message': None, 'logCursor': self.log_bytes}
            try:
                answer, wait = try_once('POST', self.path + '/heartbeat', self.token(), json.dumps(beat).encode(), timeout=patience)
            except No as no:
                self.lost = self.lost or no.args[0] == 'stale_lease'
                continue
            if wait is None and answer['extend']:
                self.lives_until = sent_at + answer['ttlMs'] / 1000
            if wait is None:
                self.canceled = self.canceled or answer['cancelRequested']
                self.lost = self.lost or not (answer['extend'] or answer['cancelRequested'])

def forms_of(secret):
    """What a secret may look like: as it is, hexadecimal, escaped for a URL, and base64 at each of its three offsets."""
    for part in {secret.strip(), *map(str.strip, secret.splitlines())}:
        raw = part.encode()
        yield from (raw, raw.hex().encode(), raw.hex().upper().encode())
        yield from (escape(part, safe='').encode() for escape in (urllib.parse.quote, urllib.parse.quote_plus))
        for shift in range(3):  # Without the characters that a neighbour shares.
            coded = base64.b64encode(bytes(shift) + raw)
            yield coded[(0, 2, 3)[shift] : len(coded) - (0, 3, 2)[(shift + len(raw)) % 3]]

class Log:
    """Output on its way to the gateway: masked line by line, in order, bounded."""

    def __init__(self, lease):
        self.lease, self.kept, self.offset, self.taken, self.cut = lease, b'', 0, 0, False
        secrets = [*lease.offer['secrets'].values(), lease.offer['source']['token'] or '']
        forms = {form for secret in secrets for form in forms_of(secret) if len(form) >= 4}
        self.secret = re.compile(b'|'.join(map(re.escape, sorted(forms, key=len, reverse=True))) or b'(?!)')

    def flush(self, to_the_end=False):
        """Sends whole lines, of which each is masked as a whole; at the end everything."""
        whole = len(self.kept) if to_the_end or len(self.kept) > 2 * MIB else self.kept.rfind(b'\n') + 1
        out, self.kept = self.secret.sub(b'***', self.kept[:whole]), self.kept[whole:]
        room = max(0, LOG_BYTES_MAX - 100 - self.taken)
        if self.cut:
            out = b''
        elif len(out) > room:
            out, self.cut = out[:room] + b'\n[delta] the log is cut here: it is as long as a log may be\n', True
        self.taken = self.lease.log_bytes = self.taken + len(out)
        while out and not self.lease.gone():
            answer = self.lease.say(f'/log?offset={self.offset}', body=out[:MIB], kind=BYTES)
            if answer:
                out, self.offset = out[answer['nextOffset'] - self.offset :], answer['nextOffset']

def run_step(step, lease, log, env, workspace, deadline):
    """Runs one step, and answers what the report says of it."""
    began, first, timed_out = now(), log.taken + len(log.kept), False
    process = subprocess.Popen(['/bin/sh', '-e', '-c', step['run']], cwd=os.path.join(workspace, step['workdir']), env=env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    os.set_blocking(process.stdout.fileno(), False)
    idle_s, last_word = lease.offer['job']['policy'].get('idleTimeoutMs', 1_800_000) / 1000, now()
    while not (lease.has_to_stop() or timed_out):
        data = process.stdout.read(MIB)
        if data:
            log.kept, last_word = log.kept + data, now()
        elif process.poll() is not None:
            break
        else:
            time.sleep(0.02)
        log.flush()
        timed_out = now() > min(deadline, last_word + idle_s)
    for sign in (signal.SIGTERM, signal.SIGKILL):  # Whatever it has started ends with it.
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, sign)
            process.wait(2)
    code = process.wait()
    exit_code, by = (code, None) if code >= 0 else (None, signal.Signals(-code).name)
    return {'name': step['name'], 'exitCode': exit_code, 'signal': by, 'timedOut': timed_out, 'oomKilled': False,
            'usage': usage(began), 'logRange': {'from': first, 'to': log.taken + len(log.kept)}}

def check_out(source, place, workspace):
    """Puts the files of the tested commit into the workspace. Nobody but this fetch sees the token."""
    credential = base64.b64encode(f'x-access-token:{source["token"]}'.encode()).decode()
    env = {'PATH': os.environ['PATH'], 'GIT_CONFIG_NOSYSTEM': '1', 'GIT_CONFIG_GLOBAL': os.devnull, 'GIT_TERMINAL_PROMPT': '0',
           'GIT_CONFIG_COUNT': '1', 'GIT_CONFIG_KEY_0': f'http.{source["cloneUrl"]}.extraHeader',
           'GIT_CONFIG_VALUE_0': f'Authorization: Basic {credential}' if source['token'] else ''}
    git = lambda *words: subprocess.run(['git', '-C', place, *words], env=env, capture_output=True, text=True)
    git('init', '--quiet', '--bare', '.')
    if git('fetch', '--quiet', '--depth', '1', '--', source['cloneUrl'], source['commit']).returncode != 0:
        raise No('source_unavailable', f'commit {source["commit"]} cannot be fetched')
    if git('rev-parse', '--verify', source['commit'] + '^{tree}').stdout.strip() != source['tree']:
        raise No('tree_mismatch', f'commit {source["commit"]} has not the tree of the plan')
    git('config', 'core.hooksPath', os.devnull)
    made = git('--work-tree', workspace, 'checkout', '--force', source['commit'])
    if made.returncode != 0:
        raise No('workspace_failed', made.stderr[-1000:])

def send_piece(request, content):
    """Sends a piece as it was granted, without the token; whether the store has it."""
    piece = content[request['fromByte'] : request['toByte']]
    try:
        with http_client.open(urllib.request.Request(request['url'], piece, request['headers'], method=request['method']), timeout=1800):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 412
    except (OSError, http.client.HTTPException):
        return False

def sent_past_gateway(lease, artifact, content):
    """Whether the store took a large artifact, and the gateway recorded it. A grant that is over is asked for once more."""
    for _ in range(2 if len(content) > MIB else 0):
        answer = lease.say('/uploads', body=json.dumps(artifact).encode())
        grant = answer and answer['grant']
        if not grant:
            return False
        if all(send_piece(request, content) for request in grant['requests']):
            recorded = {**artifact, 'uploadId': grant['uploadId']}
            return lease.say('/artifacts', body=json.dumps(recorded).encode(), timeout=1800) is not None
    return False

def send_artifacts(lease, log, workspace):
    sent = []
    for wanted in lease.offer['job']['artifacts']:
        if wanted['type'] == 'folder':
            log.kept += f'[delta] artifact {wanted["path"]}.tar was left behind: this runner makes no archives\n'.encode()
            continue
        for path in sorted(glob.glob(wanted['path'], root_dir=workspace, recursive=True)):
            whole = os.path.join(workspace, path)
            if not os.path.isfile(whole) or os.path.realpath(whole) != os.path.join(os.path.realpath(workspace), path):
                continue  # No folders, no links, and nothing that a link leads to.
            content = open(whole, 'rb').read()
            query = {'name': path, 'type': wanted['type'], 'digest': 'sha256:' + hashlib.sha256(content).hexdigest()}
            days = wanted['retentionDays']
            artifact = {**query, 'sizeBytes': len(content), 'retentionDays': days}
            try:
                if log.secret.search(content) or log.secret.search(path.encode()):
                    raise No('it holds a secret')
                told = urllib.parse.urlencode({**query, 'retention_days': days})
                if sent_past_gateway(lease, artifact, content):
                    sent.append(artifact)
                elif lease.say('/artifacts?' + told, 'PUT', body=content, kind=BYTES, timeout=1800):
                    sent.append(artifact)
            except No as no:
                log.kept += f'[delta] artifact {path} was left behind: {no.args[0]}\n'.encode()
    return sent

def work(lease):
    """Carries out one job and reports it, unless its lease is lost meanwhile."""
    offer, job, log, began, started = lease.offer, lease.offer['job'], Log(lease), now(), time.time()
    place, steps, artifacts, failed, error = tempfile.mkdtemp(dir=os.environ.get('DELTA_DATA_DIR')), [], [], None, None
    source, workspace, home = (os.path.join(place, name) for name in ('source', 'workspace', 'home'))
    try:
        for directory in (source, workspace, home):
            os.mkdir(directory)
        lacking = [wish for wish in ('image', 'services', 'source') if job.get(wish)]
        if lacking or job['requirements']['isolation'] != 'process' or offer['trust'] != 'trusted':
            raise No('layer_missing', 'this runner has no isolation, images, services, submodules or files of Git LFS')
        if any(len(value.strip()) < 4 for value in offer['secrets'].values()):
            raise No('secret_unavailable', 'a secret is too short to be masked')
        lease.phase = 'running'
        check_out(offer['source'], source, workspace)
        env = {'PATH': os.environ['PATH'], 'HOME': home, 'LANG': 'C.UTF-8', 'CI': 'true', 'DELTA_RUN_ID': offer['runId'],
               'DELTA_JOB': offer['jobKey'], 'DELTA_ATTEMPT': str(offer['attempt']), **job['env'], **offer['secrets']}
        for step in job['steps']:
            if failed and not (others_run and step.get('independent')):
                break
            steps.append(run_step(step, lease, log, env, workspace, began + job['policy']['timeoutMs'] / 1000))
            stopped = steps[-1]['timedOut'] or lease.has_to_stop()
            if stopped or steps[-1]['exitCode'] != 0:
                failed, others_run = failed or steps[-1], step.get('independent') and not stopped
        lease.phase = 'uploading'
        artifacts = send_artifacts(lease, log, workspace)
        if failed and ending.is_set() and not lease.canceled:
            raise No('runner_shutdown', 'the runner was told to stop')
    except No as why:
        error = {'code': why.args[0], 'message': why.args[1]}
    except OSError as why:
        error = {'code': 'workspace_failed', 'message': str(why)}
    finally:
        shutil.rmtree(place, ignore_errors=True)
    log.flush(to_the_end=True)
    decides = {'exitCode': None, 'signal': None} if error else failed or steps[-1]
    outcome = 'failed' if error else 'succeeded' if not failed else 'canceled' if lease.canceled else None
    outcome = outcome or ('timed_out' if failed['timedOut'] else 'failed')
    report = {'outcome': outcome, 'exitCode': decides['exitCode'], 'signal': decides['signal'], 'steps': steps, 'summary': outcome,
              'usage': usage(began), 'artifacts': artifacts, 'caches': [], 'infrastructureError': error, 'logBytes': log.taken,
              'logTruncated': log.cut, 'runnerStartedAtMs': int(started * 1000), 'runnerFinishedAtMs': int(time.time() * 1000)}
    lease.over.set()
    lease.say('/cancel-ack' if outcome == 'canceled' else '/complete', body=json.dumps(report).encode())

def main():
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    offers = {'os': 'linux', 'arch': 'x64', 'isolation': ['process'], 'toolchains': [], 'labels': []}
    me = {'name': 'runner.py', 'pool': os.environ.get('DELTA_POOL', 'default'), 'version': '1', 'capabilities': offers}
    answer = repeat('POST', '/runners', lambda: os.environ['DELTA_REGISTRATION_TOKEN'], body=json.dumps(me).encode())
    token = Token(answer) if answer else None
    while not ending.is_set():
        offer = repeat('POST', '/leases', token, body=b'{"waitSeconds": 25}', timeout=45)
        if offer and not ending.is_set():
            lease = Lease(offer, token)
            if lease.acknowledge():
                work(lease)

try:
    main()
except No as no:
    sys.exit(f'the gateway refuses this runner: {no}')
