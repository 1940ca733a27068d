import { Controller } from '@nestjs/common';
import { openApiDocument } from '@delta-ci/contracts';
import { Route } from '../http/route.ts';

/** The description of this very listener, made from the table that its routes are made from. */
@Controller()
export class OpenApiController {
  readonly #document = openApiDocument();

  @Route('openApi')
  show(): object {
    return this.#document;
  }
}
