import { expect, test } from 'vitest';
import { MPIS } from '../../../test/support/mpirun';
import { findMpi } from './find-mpi';

test.skipIf(!MPIS[0])('the library is named, as often as one asks', async () => {
  const name = await findMpi();
  expect(name).toMatch(/^\S+ \(.*(Open MPI|MPICH).*\)$/);
  expect(await findMpi()).toBe(name);
});
