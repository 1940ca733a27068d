import { z } from 'zod';
import { UnreadableAnswer } from './oracle.ts';

/** JSON of one shape. @throws {UnreadableAnswer} when it is another */
export function parsedAnswer<T>(oracle: string, shape: z.ZodType<T>, text: string): T {
  const parsed = shape.safeParse(jsonIn(oracle, text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UnreadableAnswer(oracle, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no issue'}`);
}

function jsonIn(oracle: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UnreadableAnswer(oracle, error instanceof Error ? error.message : 'no JSON');
  }
}
