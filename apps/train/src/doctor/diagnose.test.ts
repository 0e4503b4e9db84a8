import { expect, test, vi } from 'vitest';
import { diagnose } from './diagnose';

// nothing is measured, and the user's choices stay as they are
vi.stubEnv('FRANCA_TUNE', 'off');

test('the report names the adapter, that it computes, and the preset to start with', async () => {
  const report = (await diagnose({})).join('\n');
  expect(report).toMatch(/^adapter +\S/m);
  expect(report).toContain('computes: a product of matrices came out right');
  expect(report).toMatch(/^limits .*GiB a buffer, .* a binding/m);
  expect(report).toMatch(/^large products +broadcast \d+, by rule, rather than broadcast \d+$/m);
  expect(report).toMatch(/^start with +(cpu|gpu)-\w+$/m);
  expect(report).toContain('official-in21k-vitg14');
  expect(report).toMatch(/^several ranks +(by mpirun or srun, through \S+ \(|not here: .*(koffi|MPI))/m);
});

test('an adapter that is not there is refused with what to install', async () => {
  await expect(diagnose({ adapter: 'no such adapter' })).rejects.toThrow(
    /no WebGPU adapter answers to "no such adapter"/,
  );
});
