import { expect, test } from 'vitest';
import { pageOf } from './page.ts';

const { main: page } = pageOf(`<main>
<h1>Users <span>2</span></h1><dl><dt>Name</dt><dd><bdi>&lt;Ann&gt;</bdi>, <mark>Ad</mark>a</dd></dl><p aria-hidden="true">AA</p>
<a href="/a?x=1&amp;y=2">One</a> <a href="/b">Two</a> <a href="/c">Two</a>
<form action="/users" method="post">
<input name="email" value="a &quot;b&quot;">
<label><input type="radio" name="status" value="1"> Active</label>
<label><input type="radio" name="status" value="0" checked> Inactive</label>
<input type="checkbox" name="yes" checked><input type="checkbox" name="no">
<select name="role"><option value="">Any</option><option value="x" selected>Admin</option></select>
<select name="sort"><option value="id">Number</option></select>
<button>Save</button>
</form>
</main>`);

test('the text of a page is what a person reads, and its fields say what is chosen', () => {
  expect(page.text).toMatch(/^Users 2 Name <Ann>, Ada One Two Two /);
  expect(page.text).not.toContain('AA');
  expect(page.link('One')).toBe('/a?x=1&y=2');
  const form = page.form('Save');
  expect([form.action, form.method]).toEqual(['/users', 'post']);
  expect(form.fields.map((name) => [name, form.field(name)])).toEqual([
    ['email', 'a "b"'],
    ['status', 'Inactive'],
    ['yes', 'ticked'],
    ['no', 'not ticked'],
    ['role', 'Admin'],
    ['sort', 'Number'],
  ]);
});

test('what a page does not have, or has twice, is not found on it', () => {
  expect(() => page.link('Three')).toThrow('There is no link “Three”.');
  expect(() => page.link('Two')).toThrow('There is more than one link “Two”.');
  expect(() => page.field('name')).toThrow('There is no field name.');
  expect(() => page.form('Delete')).toThrow('There is no form with “Delete”.');
  expect(() => page.errorOf('email')).toThrow();
  expect(() => pageOf('Saved.').text).toThrow('There is no main.');
});
