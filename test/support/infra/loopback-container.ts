import { GenericContainer } from 'testcontainers';

interface PortPair {
  readonly container: number;
  readonly host: number;
}

/** A container whose one port is published on 127.0.0.1 only, at a port that stays the same when it starts again. */
export class LoopbackContainer extends GenericContainer {
  readonly #port: PortPair;

  constructor(image: string, port: PortPair) {
    super(image);
    this.#port = port;
    this.withExposedPorts(port);
  }

  protected override beforeContainerCreated(): Promise<void> {
    const { container, host } = this.#port;
    this.hostConfig.PortBindings = { [`${container}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(host) }] };
    return Promise.resolve();
  }
}
