/** A question on the terminal that is answered with yes or no. */
import { createInterface } from 'node:readline/promises';
import { TrainError } from '../errors';

/** @throws TrainError `usage` where nobody can answer; `without` is the option that makes the question needless */
export async function ask(
  question: string,
  without: string,
  input: NodeJS.ReadStream = process.stdin,
): Promise<boolean> {
  if (!input.isTTY) throw new TrainError('usage', `${question} Nobody can answer here; give ${without}`);
  const terminal = createInterface({ input, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
