import type { Socket } from 'node:net';
import { OUTLET_PORT } from '../../egress-outlet.ts';
import type { HostileJob, Target } from './hostile-job.fixture.ts';

/** Answers every connection with one line, whatever it says, as a proxy might that lets nobody out. */
export const CLOSED_OUTLET = {
  accept: (connection: Socket): void => {
    connection.on('error', () => undefined);
    connection.end('the outlet is shut\n');
  },
};

/** Tries the places one after the other and says how each attempt ended. */
const ATTEMPTS = `
const { connect, createServer } = require('node:net');
const { lookup, Resolver } = require('node:dns').promises;
const tried = (name, work) => work.then((said) => console.log(name, said), (error) => console.log(name, error.code));
const reach = (host, port) => new Promise((resolve, reject) => {
  const socket = connect({ host, port, timeout: 5000 }, () => resolve('connected'));
  socket.on('error', reject);
  socket.on('timeout', () => socket.destroy(Object.assign(new Error(), { code: 'SILENT' })));
});
const ask = () => new Promise((resolve, reject) => {
  const socket = connect({ host: '127.0.0.1', port: ${OUTLET_PORT} });
  socket.on('error', reject).on('data', (said) => resolve(String(said).trim()));
});
const askServers = (name) => { const all = new Resolver({ timeout: 1000, tries: 1 }); all.setServers(['1.1.1.1']); return all.resolve4(name); };
const listen = (port) => new Promise((resolve, reject) => createServer().on('error', reject).listen(port, '127.0.0.1', () => resolve('listens')));
`;

const script = ({ node }: Target, body: string): string =>
  `cat > try.cjs <<'END'\n${ATTEMPTS}\n(async () => {${body}\nprocess.exit(0); })();\nEND\n'${node}' try.cjs`;

/** Jobs of a sandbox with an outlet. */
export const BEHIND_OUTLET: readonly HostileJob[] = [
  {
    name: 'has a proxy, and goes past it',
    behindOutlet: true,
    script: (target) =>
      script(
        target,
        `await tried('outlet', ask());
         await tried('host', reach('127.0.0.1', ${target.port}));
         await tried('metadata', reach('169.254.169.254', 80));
         await tried('outside', reach('1.1.1.1', 443));
         await tried('outside6', reach('2606:4700:4700::1111', 443));
         await tried('name', lookup('example.org'));
         await tried('servers', askServers('example.org'));`,
      ),
    ends: { endedBy: 'exit', exitCode: 0 },
    says: /^outlet the outlet is shut\nhost ECONNREFUSED\nmetadata ENETUNREACH\noutside ENETUNREACH\noutside6 E\w+\nname EAI_AGAIN\nservers E\w+\n$/,
    never: () => /connected/,
  },
  {
    name: 'looks for who listens for its proxy, and takes its place',
    behindOutlet: true,
    script: (target) =>
      'echo "$NODE_CHANNEL_FD" $(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c socket) $(grep -l -x node /proc/[0-9]*/comm)\n' +
      script(target, `await tried('port', listen(${OUTLET_PORT})); await tried('outlet', ask());`),
    ends: { endedBy: 'exit', exitCode: 0 },
    says: /^ ?0\nport EADDRINUSE\noutlet the outlet is shut\n$/,
    never: () => /listens/,
  },
  {
    name: 'connects to its proxy more often than anybody could answer',
    behindOutlet: true,
    script: (target) =>
      script(
        target,
        `await Promise.allSettled(Array.from({ length: 900 }, () => reach('127.0.0.1', ${OUTLET_PORT})));
         await tried('outlet', ask());`,
      ),
    ends: { endedBy: 'exit', exitCode: 0 },
    says: /^outlet the outlet is shut\n$/,
  },
];
