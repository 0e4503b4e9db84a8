import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('a teacher file is listed and recognised', async () => {
  const printed = await runExample('inspect-checkpoint.ts');
  expect(printed).toMatch(/^teacher\.backbone\.cls_token +f32 +\[1, 1, 8\]$/m);
  expect(printed).toMatch(/^123 tensors, 0\.\d\d MiB$/m);
  expect(printed).toContain("prefix: 'teacher.'");
  expect(printed).toContain("ffn: 'swiglu'");
});
