/**
 * The MPI library of this machine, called through koffi. Open MPI and MPICH (with Intel MPI, Cray MPICH and MVAPICH, which share its ABI) have the same
 * functions, but what they pass for communicators, types and operations differs: Open MPI addresses of objects that the library exports,
 * MPICH numbers. Calls that wait for other ranks run on a thread of libuv's pool, so that JavaScript goes on meanwhile.
 */
import { CollectiveError } from './errors';
import type { Family } from './launcher';
import type { NumberType } from './number-types';

/** An address, or a number, as the family has it. */
export type Handle = number | bigint | object;
export type MpiArgument = Handle | ArrayBufferView | null;

type HandleName = 'world' | 'errorsReturn' | 'sum' | 'max' | NumberType;

/** Open MPI: symbols, which are pointers to objects. MPICH: values of mpi.h, kept by its ABI initiative. */
const HANDLES: Readonly<Record<HandleName, { readonly 'Open MPI': string; readonly MPICH: number }>> = {
  world: { 'Open MPI': 'ompi_mpi_comm_world', MPICH: 0x44000000 },
  errorsReturn: { 'Open MPI': 'ompi_mpi_errors_return', MPICH: 0x54000001 },
  sum: { 'Open MPI': 'ompi_mpi_op_sum', MPICH: 0x58000003 },
  max: { 'Open MPI': 'ompi_mpi_op_max', MPICH: 0x58000001 },
  Float32Array: { 'Open MPI': 'ompi_mpi_float', MPICH: 0x4c00040a },
  Float64Array: { 'Open MPI': 'ompi_mpi_double', MPICH: 0x4c00080b },
  Int32Array: { 'Open MPI': 'ompi_mpi_int', MPICH: 0x4c000405 },
  Uint32Array: { 'Open MPI': 'ompi_mpi_unsigned', MPICH: 0x4c000406 },
  Uint8Array: { 'Open MPI': 'ompi_mpi_unsigned_char', MPICH: 0x4c000102 },
};

/** Arguments: `p` a pointer to memory, `i` an int, `h` a handle. */
const FUNCTIONS = {
  MPI_Get_library_version: 'pp',
  MPI_Init_thread: 'ppip',
  MPI_Comm_size: 'hp',
  MPI_Comm_rank: 'hp',
  MPI_Comm_set_errhandler: 'hh',
  MPI_Comm_dup: 'hp',
  MPI_Error_string: 'ipp',
  MPI_Allgather: 'pihpihh',
  MPI_Allgatherv: 'pihppphh',
  MPI_Alltoallv: 'ppphppphh',
  MPI_Bcast: 'pihih',
  MPI_Reduce_local: 'ppihh',
  MPI_Abort: 'hi',
  MPI_Finalize: '',
} as const;
export type MpiFunction = keyof typeof FUNCTIONS;

export interface MpiLibrary {
  readonly family: Family;
  /** `libmpi.so.40 (Open MPI v4.1.4)`. */
  readonly name: string;
  readonly handles: Readonly<Record<HandleName, Handle>>;
  /** Makes the call on another thread. @throws CollectiveError `mpi` with what MPI says */
  call(name: MpiFunction, ...args: readonly MpiArgument[]): Promise<void>;
  /** Makes the call here: for what waits for nobody. @throws CollectiveError `mpi` */
  callNow(name: MpiFunction, ...args: readonly MpiArgument[]): void;
  /** A new communicator of the same ranks, whose messages meet no others. */
  duplicate(communicator: Handle): Promise<Handle>;
  /** Ends this process at once, without waiting for threads. */
  exit(status: number): void;
}

type Koffi = typeof import('koffi');
type LoadedLibrary = ReturnType<Koffi['load']>;
type ForeignFunction = ReturnType<LoadedLibrary['func']>;

/** Both families need more than koffi's 128 KiB: MPICH ends in a segmentation fault. */
const STACK_BYTES = 8 << 20;
const FILES: Readonly<Record<Family, readonly string[]>> = {
  'Open MPI': ['libmpi.so.40', 'libmpi.40.dylib'],
  MPICH: ['libmpich.so.12', 'libmpi.so.12', 'libmpi_cray.so.12', 'libmpi.12.dylib'],
};
const PACKAGES = 'on Debian: apt install openmpi-bin, or mpich; FRANCA_MPI=<path> names another library';

/**
 * Loads `file`, or the first library that there is of the families.
 * @throws CollectiveError `library` if there is none, or koffi is not installed
 */
export async function loadMpi(families: readonly Family[], file: string | undefined): Promise<MpiLibrary> {
  const koffi = await importKoffi();
  enlargeStacks(koffi);
  const files = file ? [file] : families.flatMap((family) => FILES[family]);
  const problems: string[] = [];
  for (const candidate of files) {
    try {
      return bind(koffi, candidate, koffi.load(candidate));
    } catch (error) {
      if (error instanceof CollectiveError) throw error;
      problems.push((error as Error).message);
    }
  }
  throw new CollectiveError(
    'library',
    `no MPI library was found (${problems[0]}; tried ${files.join(', ')}); ${PACKAGES}`,
  );
}

async function importKoffi(): Promise<Koffi> {
  try {
    const { default: koffi } = (await import('koffi')) as unknown as { default: Koffi };
    return koffi;
  } catch (cause) {
    throw new CollectiveError(
      'library',
      'MPI is called through the package koffi, which is not here; npm install koffi',
      { cause },
    );
  }
}

/** koffi takes it only before the first library of the process is loaded. @throws CollectiveError `library` where somebody else has loaded one */
function enlargeStacks(koffi: Koffi): void {
  const { sync_stack_size: now = 0, async_stack_size: then = 0 } = koffi.config();
  if (Math.min(now, then) >= STACK_BYTES) return;
  try {
    koffi.config({ sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES });
  } catch (cause) {
    const way = 'open the communicator before other libraries are loaded through koffi';
    throw new CollectiveError(
      'library',
      `MPI needs stacks of ${STACK_BYTES >> 20} MiB, which koffi no longer gives; ${way}`,
      { cause },
    );
  }
}

function bind(koffi: Koffi, file: string, library: LoadedLibrary): MpiLibrary {
  const version = libraryVersion(file, library.func('MPI_Get_library_version', 'int', ['void *', 'void *']));
  const family: Family = version.startsWith('Open MPI') ? 'Open MPI' : 'MPICH';
  const kinds = { p: 'void *', i: 'int', h: family === 'Open MPI' ? 'void *' : 'int' } as const;
  const functions = Object.fromEntries(
    Object.entries(FUNCTIONS).map(([name, signature]) => {
      const types = [...signature].map((kind) => kinds[kind as keyof typeof kinds]);
      return [name, library.func(name, 'int', types)];
    }),
  ) as Record<MpiFunction, ForeignFunction>;
  const handles = Object.fromEntries(
    Object.entries(HANDLES).map(([name, of]) => [
      name,
      family === 'Open MPI' ? library.symbol(of['Open MPI']) : of.MPICH,
    ]),
  ) as MpiLibrary['handles'];
  const check = (name: MpiFunction, status: number): void => {
    if (status !== 0) throw new CollectiveError('mpi', `${name}: ${errorText(functions.MPI_Error_string, status)}`);
  };
  const call: MpiLibrary['call'] = (name, ...args) =>
    new Promise((resolve, reject) => {
      functions[name].async(...args, (error: Error | null, status: number) => {
        try {
          if (error) throw new CollectiveError('mpi', `${name}: ${error.message}`, { cause: error });
          resolve(check(name, status));
        } catch (problem) {
          reject(problem);
        }
      });
    });
  const exit = koffi.load(null).func('_exit', 'void', ['int']);
  return {
    family,
    name: `${file} (${version})`,
    handles,
    call,
    callNow: (name, ...args) => check(name, functions[name](...args)),
    duplicate: async (communicator) => {
      const copy = family === 'Open MPI' ? new BigUint64Array(1) : new Int32Array(1);
      await call('MPI_Comm_dup', communicator, copy);
      return copy[0]!;
    },
    exit: (status) => exit(status),
  };
}

/** `Open MPI v4.1.4`, `MPICH Version: 4.0.2`. @throws CollectiveError `library` for a family of which the handles are not known */
function libraryVersion(file: string, ask: ForeignFunction): string {
  const text = new Uint8Array(8192);
  const length = new Int32Array(1);
  ask(text, length);
  const [version = ''] = textOf(text, length).split(/[\n,]/);
  if (!/^Open MPI|MPICH|Intel\(R\) MPI|MVAPICH/i.test(version))
    throw new CollectiveError(
      'library',
      `${file} is "${version}", which is not known here; use Open MPI or one that has the ABI of MPICH`,
    );
  return version.replace(/\s+/g, ' ').trim();
}

function errorText(ask: ForeignFunction, status: number): string {
  const text = new Uint8Array(8192);
  const length = new Int32Array(1);
  return ask(status, text, length) === 0 ? textOf(text, length) : `error ${status}`;
}

const textOf = (text: Uint8Array, [length = 0]: Int32Array): string =>
  new TextDecoder().decode(text.subarray(0, length)).replace(/\0/g, '');
