import { Controller, Inject, Module, type DynamicModule } from '@nestjs/common';
import { OnEvent, type DeliveryContext } from '@delta-ci/bus';
import type { RecordedEventOf } from '@delta-ci/contracts';
import { explainAttempt, type AnalyzerTools } from './on-attempt-finished.ts';

const TOOLS = Symbol('tools');

/** What comes over the bus: acked when its explanation was taken, given again when not. */
@Controller()
export class AttemptController {
  readonly #tools: AnalyzerTools;

  constructor(@Inject(TOOLS) tools: AnalyzerTools) {
    this.#tools = tools;
  }

  @OnEvent('attempt.finished')
  async onAttemptFinished(event: RecordedEventOf<'attempt.finished'>, { signal }: DeliveryContext): Promise<void> {
    await explainAttempt(this.#tools, event, signal);
  }
}

/** Over HTTP it serves health and metrics alone: the work comes over the bus. */
@Module({})
export class AnalyzerModule {
  static with(tools: AnalyzerTools): DynamicModule {
    return {
      module: AnalyzerModule,
      controllers: [AttemptController],
      providers: [{ provide: TOOLS, useValue: tools }],
    };
  }
}
