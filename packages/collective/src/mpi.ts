/**
 * The ranks of an MPI job. Opening takes them from processes that a launcher has started to a communicator: the library of that launcher, MPI_Init, the same
 * number of ranks as the launcher says, the same program on all of them, the life line. Whatever is not so is an error on every rank that can have one.
 */
import { availableParallelism } from 'node:os';
import { type Call, callsOfRanks, callText } from './agreement';
import { type CallQueue, callQueue } from './call-queue';
import { checkArrays, checkBroadcast, checkOverlap, checkReduction, checkStatus } from './check-call';
import { allGather, allReduce, broadcast, type Exchange, growingScratch, reduceScatter } from './collectives';
import type { Communicator, Member, Numbers, Reduction } from './communicator';
import { CollectiveError } from './errors';
import type { Launcher } from './launcher';
import { type LifeLine, openLifeLine } from './life-line';
import { loadMpi, type MpiLibrary } from './mpi-library';
import { numberType } from './number-types';
import { gatherRecords } from './records';
import { checkVersions, introduce, rankName } from './versions';

export interface MpiOptions {
  readonly version: string;
  readonly openSeconds: number;
  readonly silentSeconds: number;
}

const THREAD_SERIALIZED = 2;
const THREAD_MULTIPLE = 3;

/** Joins the ranks that `launcher` has started. */
export async function openMpi(
  launcher: Launcher,
  { version, openSeconds, silentSeconds }: MpiOptions,
): Promise<Communicator> {
  // Open MPI's ranks spin while they wait, and take the processor from each other where there are as many as cores
  if ((launcher.localSize ?? 1) >= availableParallelism()) process.env.OMPI_MCA_mpi_yield_when_idle ??= '1';
  const library = await loadMpi(launcher.families, process.env.FRANCA_MPI);
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
    return communicatorOf(on, members, { queue, lost: lost.signal, line });
  });
}

/** Node would wait for threads that wait inside MPI, and Open MPI cannot be unloaded but by the thread that initialised it: the process ends before either. */
function leaveAtOnce(library: MpiLibrary): void {
  process.on('exit', (status) => library.exit(status));
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

interface Parts {
  readonly queue: CallQueue;
  readonly lost: AbortSignal;
  readonly line: LifeLine;
}

function communicatorOf(on: Exchange, members: readonly Member[], { queue, lost, line }: Parts): Communicator {
  const { library, rank, size } = on;
  let open = true;
  /** Does `work` in its turn, once all ranks are about to do the same. */
  const inTurn = (call: Call, work: () => Promise<void>): Promise<void> => {
    if (!open) throw new CollectiveError('closed', `${call.name}: the communicator was closed`);
    return queue.run(async () => {
      agree(await callsOfRanks(library, on.communicator, size, call), rank, members);
      await work();
    });
  };
  const reduction =
    (name: 'allReduce' | 'reduceScatter', share: number, work: typeof allReduce) =>
    async <T extends Numbers>(send: T, receive: T, how: Reduction = 'sum'): Promise<void> => {
      checkArrays(name, [send, share], [receive, 1]);
      checkReduction(name, send, how);
      checkOverlap(name, send, receive);
      await inTurn({ name, type: numberType(send)!, length: send.length, how }, () => work(on, send, receive, how));
    };
  const close = async (): Promise<void> => {
    if (!open) return;
    const leaving = inTurn({ name: 'close' }, async () => {
      line.end();
      await library.call('MPI_Finalize');
    });
    open = false;
    await leaving;
  };
  return {
    rank,
    size,
    members,
    notes: notesOn(line, members),
    lost,
    allReduce: reduction('allReduce', 1, allReduce),
    reduceScatter: reduction('reduceScatter', size, reduceScatter),
    async allGather(send, receive) {
      checkArrays('allGather', [send, 1], [receive, size]);
      const call: Call = { name: 'allGather', type: numberType(send)!, length: send.length };
      await inTurn(call, () => allGather(on, send, receive));
    },
    async broadcast(values, root = 0) {
      checkBroadcast(values, root, size);
      const call: Call = { name: 'broadcast', type: numberType(values)!, length: values.length, root };
      await inTurn(call, () => broadcast(on, values, root));
    },
    barrier: async () => inTurn({ name: 'barrier' }, async () => {}),
    abort(status) {
      checkStatus(status);
      library.callNow('MPI_Abort', on.communicator, status);
      process.exit(status);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** @throws CollectiveError where ranks call different things: `rank` if one has closed, else `argument` */
function agree(calls: readonly Call[], rank: number, members: readonly Member[]): void {
  const own = callText(calls[rank]!);
  const other = calls.findIndex((call) => callText(call) !== own);
  if (other < 0) return;
  const closed = calls.findIndex(({ name }) => name === 'close');
  const [who, code] = closed < 0 ? [other, 'argument' as const] : [closed === rank ? other : closed, 'rank' as const];
  throw new CollectiveError(
    code,
    `${rankName(who, members[who]!)} calls ${callText(calls[who]!)} where this rank calls ${own}; all ranks make the same calls in the same order`,
  );
}

const notesOn = ({ unconnected }: LifeLine, members: readonly Member[]): string[] =>
  unconnected.map(
    (rank) =>
      `${rankName(rank, members[rank]!)} cannot connect to rank 0 (${members[0]!.host}), a firewall perhaps: where a rank dies, the others may wait until the launcher ends them`,
  );
