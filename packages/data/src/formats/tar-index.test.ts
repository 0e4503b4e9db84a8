import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { bytesInMemory } from '../files/byte-file';
import { indexTar, type TarIndex } from './tar-index';

const archive = async (...entries: (Partial<Header> & { name: string; body?: string })[]): Promise<Uint8Array> => {
  const tar = pack();
  for (const { body, ...header } of entries) tar.entry(header, body ?? '');
  tar.finalize();
  return buffer(tar);
};
const index = (bytes: Uint8Array, windowBytes?: number): Promise<TarIndex> =>
  indexTar(bytesInMemory('a.tar', bytes, '1'), { windowBytes });
const contents = (bytes: Uint8Array, { members }: TarIndex): string[] =>
  members.map(({ offset, size }) => new TextDecoder().decode(bytes.subarray(offset, offset + size)));

/** Writes a field of a header and repairs the checksum, as a forger would. */
function forge(bytes: Uint8Array, header: number, at: number, value: string | Uint8Array): Uint8Array {
  const forged = Uint8Array.from(bytes);
  forged.set(typeof value === 'string' ? new TextEncoder().encode(value) : value, header + at);
  forged.fill(32, header + 148, header + 156);
  const sum = forged.subarray(header, header + 512).reduce((a, b) => a + b, 0);
  forged.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), header + 148);
  return forged;
}

describe('indexTar', () => {
  it('finds every file with its bytes', async () => {
    const bytes = await archive(
      { name: 'a.jpg', body: 'one' },
      { name: 'b/c.txt', body: 'x'.repeat(1300) },
      { name: 'd' },
    );
    const found = await index(bytes);
    expect(found.members.map((member) => member.name)).toEqual(['a.jpg', 'b/c.txt', 'd']);
    expect(contents(bytes, found)).toEqual(['one', 'x'.repeat(1300), '']);
    expect(found.damage).toBeUndefined();
  });

  it('finds the same through windows smaller and larger than the archive', async () => {
    const bytes = await archive(
      { name: 'a', body: 'x'.repeat(5000) },
      { name: 'b', body: 'y' },
      { name: 'c', body: 'z' },
    );
    expect(await index(bytes, 512)).toEqual(await index(bytes, 1 << 20));
  });

  it('reads the bytes of members in passing where it is asked to', async () => {
    const bytes = await archive(
      { name: 'a.cls', body: '7' },
      { name: 'b', body: 'x'.repeat(5000) },
      { name: 'c.cls', body: '12' },
    );
    const withContent = (name: string): boolean => name.endsWith('.cls');
    const { members } = await indexTar(bytesInMemory('a.tar', bytes, '1'), { windowBytes: 512, withContent });
    expect(members.map(({ content }) => content && new TextDecoder().decode(content))).toEqual(['7', undefined, '12']);
  });

  it('understands names too long for the header (PAX records, which tar-stream writes)', async () => {
    const name = `${'deep/'.repeat(60)}ü.jpg`;
    const bytes = await archive({ name, body: 'one' }, { name: 'short', body: 'two' });
    expect((await index(bytes)).members.map((member) => member.name)).toEqual([name, 'short']);
  });

  it('understands GNU long names', async () => {
    const name = 'n'.repeat(200);
    const plain = await archive({ name: '././@LongLink', body: name }, { name: 'n'.repeat(99), body: 'one' });
    const found = await index(forge(plain, 0, 156, 'L'));
    expect(found.members).toMatchObject([{ name, size: 3 }]);
  });

  it('lists regular files only', async () => {
    const bytes = await archive(
      { name: 'folder', type: 'directory' },
      { name: 'link', type: 'symlink', linkname: '/etc/passwd' },
      { name: 'file', body: 'one' },
    );
    const found = await index(bytes);
    expect([found.members.map((member) => member.name), found.irregular]).toEqual([['file'], ['link']]);
  });

  it('keeps what comes before the damage and says where it is', async () => {
    const bytes = await archive({ name: 'a', body: 'one' }, { name: 'b', body: 'two' });
    const damaged = Uint8Array.from(bytes).fill(7, 1024, 1100);
    const found = await index(damaged);
    expect(found.members.map((member) => member.name)).toEqual(['a']);
    expect(found.damage).toMatch(/a\.tar: no valid tar header at byte 1024/);
  });

  it.each([
    ['octal, larger than the archive', '77777777777'],
    ['binary, 2^60', Uint8Array.of(0x80, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0)],
    ['binary, negative', new Uint8Array(12).fill(0xff)],
    ['not a number', '99zz99zz99z'],
  ])('does not believe a forged size: %s', async (_, size) => {
    const bytes = await archive({ name: 'a', body: 'one' }, { name: 'b', body: 'two' });
    const found = await index(forge(bytes, 1024, 124, size));
    expect(found.members.map((member) => member.name)).toEqual(['a']);
    expect(found.damage).toMatch(/at byte 1024/);
  });

  it('does not believe a forged size in a PAX record', async () => {
    const bytes = await archive({ name: 'a', body: 'one', pax: { size: '99999999999999' } });
    expect(await index(bytes)).toMatchObject({ members: [], damage: expect.stringMatching(/99999999999999/) });
  });

  it('refuses name records of absurd length', async () => {
    const bytes = await archive({ name: 'record', body: 'x'.repeat(70_000) }, { name: 'a', body: 'one' });
    expect(await index(forge(bytes, 0, 156, 'L'))).toMatchObject({ members: [], damage: /name record of 70000/ });
  });

  it('reports an archive that is cut short, wherever', async () => {
    const bytes = await archive({ name: 'a', body: 'one' }, { name: 'b', body: 'x'.repeat(600) });
    for (const length of [100, 514, 1100, 1700, 2000]) {
      const found = await index(bytes.subarray(0, length));
      expect(found.damage).toBeDefined();
      expect(found.members.length).toBe(length < 515 ? 0 : 1);
    }
  });

  it('says so when the end mark is missing, or when another archive follows it', async () => {
    const bytes = await archive({ name: 'a', body: 'one' });
    expect((await index(bytes.subarray(0, 1024))).damage).toMatch(/no end mark and may be cut short at byte 1024/);
    const joined = Buffer.concat([bytes, await archive({ name: 'b', body: 'two' })]);
    const found = await index(joined);
    expect([found.members.map(({ name }) => name), found.damage]).toEqual([
      ['a'],
      expect.stringMatching(/something follows the end of the archive at byte 1024/),
    ]);
    const filled = Buffer.concat([bytes, Buffer.alloc(10_240)]);
    expect((await index(filled)).damage).toBeUndefined();
  });

  it('tells names apart that are no UTF-8, and takes ./a for a', async () => {
    const plain = await archive({ name: './aXb', body: 'one' }, { name: 'aYb', body: 'two' });
    const found = await index(forge(forge(plain, 0, 3, Uint8Array.of(0xe9)), 1024, 1, Uint8Array.of(0xe8)));
    expect(found.members.map(({ name }) => name)).toEqual(['aéb', 'aèb']);
  });

  it('survives any damaged byte', async () => {
    const bytes = await archive({ name: 'a', body: 'one' }, { name: `${'b'.repeat(120)}`, body: 'two' });
    for (let at = 0; at < bytes.length; at += 3) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 0x55;
      for (const { offset, size } of (await index(damaged)).members)
        expect(offset + size).toBeLessThanOrEqual(bytes.length);
    }
  });
});
