import { expect, test } from 'vitest';
import { lineChart } from '../charts/line-chart';
import { filledImage } from '../drawing/image';
import { encodePng } from '../drawing/png';
import { htmlReport, type Report } from './html-report';

const picture = filledImage(2, 2, [1, 2, 3]);
const report: Report = {
  title: 'Run <1>',
  subtitle: 'a & b',
  facts: [{ label: 'steps', value: 50000 }],
  sections: [
    {
      title: 'Losses',
      text: 'One.\n\nTwo.',
      notices: [{ kind: 'warning', text: 'watch' }],
      charts: [{ figure: lineChart([{ name: 'loss', x: [0, 1], y: [2, 1] }]), caption: 'the loss' }],
      images: [
        { image: picture, caption: 'pixels' },
        { image: encodePng(picture), width: 64 },
      ],
      tables: [
        {
          columns: ['model', 'top-1', 'paper'],
          rows: [
            ['ours', 79.432, undefined],
            ['random', 10, 80],
          ],
          highlight: [0],
          bold: [[1, 2]],
        },
      ],
      details: [{ summary: 'config', text: 'a: <b>' }],
    },
  ],
};

test('the page holds everything: no script, no address outside it', () => {
  const html = htmlReport(report);
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
  expect(html).not.toMatch(/<script|<link|@import|url\(/);
  const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]!);
  expect(addresses.length).toBeGreaterThan(1);
  for (const address of addresses) expect(address).toMatch(/^(data:image\/png;base64,|#)/);
  expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
});

test('text is text: markup in it is escaped', () => {
  const html = htmlReport(report);
  expect(html).toContain('<h1>Run &lt;1&gt;</h1>');
  expect(html).toContain('<pre>a: &lt;b&gt;</pre>');
  expect(html).toContain('a &amp; b');
});

test('numbers stand on the right and missing ones are dashes', () => {
  const html = htmlReport(report);
  expect(html).toContain(
    '<tr class="highlight"><td>ours</td><td class="number">79.43</td><td class="number">–</td></tr>',
  );
  expect(html).toContain('<td class="number">10</td><td class="number bold">80</td>');
  expect(html).toContain('<dd>50,000</dd>');
});

test('pixels and PNG files are embedded alike, paragraphs are separated by empty lines', () => {
  const html = htmlReport(report);
  const [fromPixels, fromFile] = [...html.matchAll(/<img src="([^"]+)"/g)].map((match) => match[1]);
  expect(fromPixels).toBe(fromFile);
  expect(html).toContain('<p>One.</p><p>Two.</p>');
});

test('follows the setting of the reader, light or dark, charts included', () => {
  const html = htmlReport(report);
  expect(html).toContain('prefers-color-scheme: dark');
  expect(html).toContain('figure svg { color: var(--ink); }');
});

test('links to its sections when there are several', () => {
  const three = { ...report, sections: ['a', 'b', 'c'].map((title) => ({ title })) };
  expect(htmlReport(three)).toContain('<nav><a href="#s1">a</a>');
  expect(htmlReport(report)).not.toContain('<nav>');
});

test('equal input gives equal bytes', () => {
  expect(htmlReport(report)).toBe(htmlReport(report));
});

test('refuses a row that does not fit the columns', () => {
  const sections = [{ title: 't', tables: [{ columns: ['a', 'b'], rows: [[1]] }] }];
  expect(() => htmlReport({ title: 'x', sections })).toThrow(/row 0 of the table has 1 values for 2 columns/);
});
