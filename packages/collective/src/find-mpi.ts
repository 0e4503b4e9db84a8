/** Whether ranks could be opened here, without opening them. */
import { findLauncher } from './launcher';
import { loadMpi } from './mpi-library';

/**
 * The MPI library that this process would use: `libmpi.so.40 (Open MPI v4.1.4)`.
 * @throws CollectiveError `library` where there is none, or no koffi to call it by, with what to install
 */
export async function findMpi(): Promise<string> {
  const families = findLauncher(process.env)?.families ?? ['Open MPI', 'MPICH'];
  return (await loadMpi(families, process.env.FRANCA_MPI)).name;
}
