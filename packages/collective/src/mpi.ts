/**
 * The ranks of an MPI job. Opening takes them from processes that a launcher has started to a communicator: the library of that launcher, MPI_Init, the same
 * number of ranks as the launcher says, the same program on all of them, the life line. Whatever is not so is an error on every rank that can have one.
 */
import { availableParallelism } from 'node:os';
import { callQueue } from './call-queue';
import { type Exchange, growingScratch } from './collectives';
import type { Communicator, Member } from './communicator';
import { CollectiveError } from './errors';
import type { Launcher } from './launcher';
import { openLifeLine } from './life-line';
import { mpiCommunicator } from './mpi-communicator';
import { loadMpi, type MpiLibrary } from './mpi-library';
import { gatherRecords } from './records';
import { checkVersions, introduce } from './versions';

export interface MpiOptions {
  readonly version: string;
  readonly openSeconds: number;
  readonly silentSeconds: number;
}

const THREAD_SERIALIZED = 2;
const THREAD_MULTIPLE = 3;

let opened = false;

/** Joins the ranks that `launcher` has started. */
export async function openMpi(
  launcher: Launcher,
  { version, openSeconds, silentSeconds }: MpiOptions,
): Promise<Communicator> {
  if (opened)
    throw new CollectiveError(
      'argument',
      'MPI opens once in the life of a process, and was opened in this one; pass the communicator on',
    );
  // Open MPI's ranks spin while they wait, and take the processor from each other where there are as many as cores
  if ((launcher.localSize ?? 1) >= availableParallelism()) process.env.OMPI_MCA_mpi_yield_when_idle ??= '1';
  const library = await loadMpi(launcher.families, process.env.FRANCA_MPI);
  opened = true;
  leaveAtOnce(library);
  return within(openSeconds, launcher, async () => {
    const on = await initialise(library, launcher);
    const gather = gatherRecords(library, on.communicator, on.size);
    const introductions = await gather(introduce(version));
    try {
      checkVersions(introductions);
    } catch (error) {
      await library.call('MPI_Finalize');
      throw error;
    }
    const members = introductions.map(({ host, pid }): Member => ({ host, pid }));
    const [queue, lost] = [callQueue(), new AbortController()];
    const onLost = (reason: CollectiveError): void => {
      queue.fail(reason);
      lost.abort(reason);
    };
    const line = await openLifeLine({ rank: on.rank, members, silentSeconds, gather, onLost });
    return mpiCommunicator(on, members, { queue, lost: lost.signal, line });
  });
}

/** Node would wait for threads that wait inside MPI, and Open MPI cannot be unloaded but by the thread that initialised it: the process ends before either. */
function leaveAtOnce(library: MpiLibrary): void {
  const leave = (status: number): void => {
    try {
      const listeners = process.listeners('exit');
      for (const later of listeners.slice(listeners.indexOf(leave) + 1)) later.call(process, status);
    } finally {
      library.exit(Number(process.exitCode ?? status));
    }
  };
  process.on('exit', leave);
  // Node prints an error that nobody catches only after that
  process.on('uncaughtExceptionMonitor', (error) => {
    if (process.listenerCount('uncaughtException') === 0) console.error(error);
  });
}

async function within<T>(seconds: number, { name }: Launcher, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const text = `not all ranks that ${name} started came within ${seconds} s; look for errors of the others above, and whether all run the same command`;
      reject(new CollectiveError('rank', text));
    }, seconds * 1000);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}

async function initialise(library: MpiLibrary, launcher: Launcher): Promise<Exchange> {
  const [level, rank, size] = [new Int32Array(1), new Int32Array(1), new Int32Array(1)];
  await library.call('MPI_Init_thread', null, null, THREAD_MULTIPLE, level);
  const { world, errorsReturn } = library.handles;
  library.callNow('MPI_Comm_set_errhandler', world, errorsReturn);
  library.callNow('MPI_Comm_rank', world, rank);
  library.callNow('MPI_Comm_size', world, size);
  checkLaunched(library, launcher, rank[0]!, size[0]!);
  if (level[0]! < THREAD_SERIALIZED)
    throw new CollectiveError('library', `${library.name} was built without threads; install one that has them`);
  const communicator = await library.duplicate(world);
  library.callNow('MPI_Comm_set_errhandler', communicator, errorsReturn);
  return { library, communicator, rank: rank[0]!, size: size[0]!, scratch: growingScratch() };
}

/** A library that does not know its launcher takes each process for rank 0 of 1, in silence. */
function checkLaunched(library: MpiLibrary, launcher: Launcher, rank: number, size: number): void {
  if (rank === launcher.rank && size === (launcher.size ?? size)) return;
  throw new CollectiveError(
    'library',
    `${library.name} takes this for rank ${rank} of ${size}, ${launcher.name} started it as rank ${launcher.rank} of ${launcher.size ?? 'several'}; ` +
      'they do not go together: use the launcher of that library, or name its own by FRANCA_MPI=<path of libmpi>',
  );
}
