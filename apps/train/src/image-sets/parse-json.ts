/** JSON of a file that nobody has checked. */
import { TrainError } from '../errors';

/** @throws TrainError `data` where the bytes are no JSON; `where` is the file, for the message */
export function parseJson(where: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new TrainError('data', `${where} is no JSON: ${(cause as Error).message}`, { cause });
  }
}
