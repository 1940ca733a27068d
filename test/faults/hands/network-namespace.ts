import { execFileSync } from 'node:child_process';
import { runOnDeath } from '../../../tools/bootstrap/index.mjs';

/** One pair of link-local addresses is enough for one namespace; a machine has others beside it. */
const SUBNETS = 250;

/** Why this machine has no network namespaces for us; null when it has. */
export function noNamespacesHere(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root here';
  try {
    ip('netns', 'list');
    return null;
  } catch (error) {
    return `ip netns does not work here: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * A network of its own, tied to ours by one cable. With the cable pulled, packets are lost in both directions and nobody
 * is told: connections stay half open, as they do when a switch dies.
 */
export class NetworkNamespace {
  /** The words before a command that run it inside. */
  readonly under: readonly string[];
  /** Where it finds us. */
  readonly hostAddress: string;
  readonly #name: string;
  readonly #cable: string;
  readonly #leash: { release: () => void };

  private constructor(name: string, cable: string, hostAddress: string, leash: { release: () => void }) {
    this.under = ['ip', 'netns', 'exec', name];
    this.hostAddress = hostAddress;
    this.#name = name;
    this.#cable = cable;
    this.#leash = leash;
  }

  static make(): NetworkNamespace {
    const name = `delta-faults-${process.pid}`;
    const cable = `df${process.pid}`;
    const subnet = process.pid % SUBNETS;
    const [host, inside] = [`169.254.${subnet}.1`, `169.254.${subnet}.2`];
    const leash = runOnDeath(`ip link del ${cable}; ip netns del ${name}`);
    ip('netns', 'add', name);
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', `${cable}i`, 'netns', name);
    ip('addr', 'add', `${host}/30`, 'dev', cable);
    ip('link', 'set', cable, 'up');
    ip('-n', name, 'addr', 'add', `${inside}/30`, 'dev', `${cable}i`);
    ip('-n', name, 'link', 'set', `${cable}i`, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return new NetworkNamespace(name, cable, host, leash);
  }

  pullCable(): void {
    ip('link', 'set', this.#cable, 'down');
  }

  plugCable(): void {
    ip('link', 'set', this.#cable, 'up');
  }

  remove(): void {
    ip('link', 'del', this.#cable);
    ip('netns', 'del', this.#name);
    this.#leash.release();
  }
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
