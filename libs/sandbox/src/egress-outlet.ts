import type { ChildProcess } from 'node:child_process';
import { Server, type Socket } from 'node:net';
import type { EgressOutlet } from './sandbox-executor.ts';

/** Where the outlet is found inside: a port that nothing else is known to use, below those that are handed out by themselves. */
export const OUTLET_PORT = 28_128;

/** What a sandbox with an outlet shows of the warden's own Node: all that is started with it is `LISTENING`. */
export const LISTENER_PATH = '/run/delta/node';

const LISTEN = `const server = require('node:net').createServer();
server.listen({ host: '127.0.0.1', port: ${OUTLET_PORT}, backlog: 511 }, () =>
  process.send('listening', server, (error) => process.exit(error ? 1 : 0)));`;

/** What makes an outlet, in the sandbox. */
export type OutletPrograms = { readonly node: readonly string[]; readonly shell: readonly string[] };

/** Where a sandbox shows the host's own system. */
export const OUTLET_PROGRAMS_OF_HOST: OutletPrograms = { node: [LISTENER_PATH], shell: ['/bin/sh'] };

/** Listens, is gone, and closes the channel: what follows has none of it. The first word is what to run, the rest what follows. */
const LISTEN_FIRST = (channelFd: number, listener: readonly string[]): string =>
  `NODE_CHANNEL_FD=${channelFd} ${listener.join(' ')} -e "$1" </dev/null >&2 || exit 125; exec ${channelFd}>&-; shift; exec "$@"`;

/**
 * The command that runs inside behind an outlet. A socket belongs to the network it was made in, whoever has it: a program of ours
 * listens there, hands the listening socket to the warden over its channel and ends before anything of the job begins. Nothing
 * stands between the two then, and nothing is left that could be killed or outlive them.
 *
 * @param listener the commands that start Node and a shell in the sandbox, both the host's: words of ours, without anything a
 *   shell would read. An image's own shell would have the channel, and could say to the warden whatever it likes.
 */
export const listeningFirst = (
  channelFd: number,
  { node, shell }: OutletPrograms,
  inside: readonly [string, ...string[]],
): readonly string[] => [...shell, '-c', LISTEN_FIRST(channelFd, node), 'sh', LISTEN, ...inside];

/** Takes the socket from the sandbox, hands on what connects to it, and ends all of it with the sandbox. */
export function attendOutlet(child: ChildProcess, outlet: EgressOutlet): void {
  const open = new Set<Server | Socket>();
  let over = false;
  const take = (connection: Socket): void => {
    open.add(connection);
    connection.once('close', () => open.delete(connection));
    outlet.accept(connection);
  };
  const end = (): void => {
    over = true;
    for (const each of open) {
      if (each instanceof Server) each.close();
      else each.destroy();
    }
  };
  child.once('message', (_, listening) => {
    if (child.connected) child.disconnect();
    if (!(listening instanceof Server)) return;
    open.add(listening);
    // Without descriptors left, whoever connects waits for one.
    listening.on('error', () => undefined);
    listening.on('connection', take);
    if (over) end();
  });
  child.once('exit', end);
}

/** How programs of all kinds are told that there is one way out. Java is told by its launchers: it reads no such variables. */
export function outletEnvironment(): Readonly<Record<string, string>> {
  const url = `http://127.0.0.1:${OUTLET_PORT}`;
  const direct = 'localhost,127.0.0.1,::1';
  const java = ['http', 'https'].map(
    (scheme) => `-D${scheme}.proxyHost=127.0.0.1 -D${scheme}.proxyPort=${OUTLET_PORT}`,
  );
  const options = [...java, '-Dhttp.nonProxyHosts=localhost|127.0.0.1'].join(' ');
  return {
    http_proxy: url,
    https_proxy: url,
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    no_proxy: direct,
    NO_PROXY: direct,
    NODE_USE_ENV_PROXY: '1',
    YARN_HTTP_PROXY: url,
    YARN_HTTPS_PROXY: url,
    MAVEN_OPTS: options,
    GRADLE_OPTS: options,
  };
}
