/** Which network of a file is meant: taken by name or by the stated order, and said in words where there was a choice. */
import { CheckpointError, type OfficialCheckpoint, splitOfficial, type TensorFile } from '@franca/checkpoint';
import { TrainError } from '../errors';

export interface NetworkOfFile extends OfficialCheckpoint {
  /** Empty for a file that holds one network and nothing before its names. */
  readonly notes: readonly string[];
}

/**
 * The parts of a network in `file`. `wayOut` says how another one is chosen where this is asked.
 * @throws TrainError `file` where there is none, none of that name, or several of which none is preferred
 */
export function networkOfFile(
  file: TensorFile,
  network: string | undefined,
  wayOut = '--network NAME chooses',
): NetworkOfFile {
  try {
    const official = splitOfficial(file, { network });
    return { ...official, notes: [...notesOn(official, wayOut), ...notesOnImport(file)] };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    const out = error.code === 'argument' ? `: ${wayOut}` : '';
    throw new TrainError('file', `${file.path}: ${error.message}${out}`, { cause: error });
  }
}

function notesOn({ report: { prefix, network, others } }: OfficialCheckpoint, wayOut: string): readonly string[] {
  if (others.length > 0)
    return [`network: ${quoted(network)}; the file also holds ${others.map(quoted).join(', ')}; ${wayOut}`];
  return prefix === '' ? [] : [`network: the one under ${quoted(prefix.slice(0, -1))} in the file`];
}

/** `import` writes down which network it took, where it had a choice. */
function notesOnImport({ metadata: { source, network } }: TensorFile): readonly string[] {
  return source === undefined || network === undefined
    ? []
    : [`network: ${quoted(network)} of ${quoted(source)}, imported`];
}

/** Text of a file must not drive a terminal. */
const quoted = (text: string): string => JSON.stringify(text);
