import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import { onFreePorts } from '../../../tools/bootstrap/index.mjs';

interface PortPair {
  readonly container: number;
  readonly host: number;
}

/** A container whose one port is published on 127.0.0.1 only, at a port that stays the same when it starts again. */
export class LoopbackContainer extends GenericContainer {
  readonly #port: PortPair;
  #createdId: string | null = null;

  private constructor(image: string, port: PortPair) {
    super(image);
    this.#port = port;
    this.withExposedPorts(port);
  }

  /**
   * Starts one on a free port: the engine would choose another each time it starts.
   *
   * @param port where it listens inside
   * @param describe the rest of what it is like
   */
  static async start(
    image: string,
    port: number,
    describe: (container: GenericContainer) => GenericContainer,
  ): Promise<{ readonly started: StartedTestContainer; readonly port: number }> {
    return onFreePorts(['host'], async ({ host }) => {
      const container = new LoopbackContainer(image, { container: port, host });
      describe(container);
      return { started: await container.#startOrRemove(), port: host };
    });
  }

  protected override beforeContainerCreated(): Promise<void> {
    const { container, host } = this.#port;
    this.hostConfig.PortBindings = { [`${container}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(host) }] };
    return Promise.resolve();
  }

  protected override containerCreated(containerId: string): Promise<void> {
    this.#createdId = containerId;
    return Promise.resolve();
  }

  async #startOrRemove(): Promise<StartedTestContainer> {
    try {
      return await this.start();
    } catch (error) {
      // One that was created and could not start stays.
      if (this.#createdId !== null) {
        const { container } = await getContainerRuntimeClient();
        await container
          .getById(this.#createdId)
          .remove({ force: true, v: true })
          .catch(() => undefined);
      }
      throw error;
    }
  }
}
