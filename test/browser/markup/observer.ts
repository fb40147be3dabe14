/** What is added to every page before anything else of it: how it is looked over, and how a form is sent from it. */

/** All that a page of ours is made of; nothing else may come to be on one. */
const TAGS =
  'html head meta title link body a header div span nav form button main p code del ins search input label details summary select option h1 h2 h3 table thead tbody tr th td bdi mark wbr time dl dt dd section fieldset legend em strong progress ul ol li svg rect path';
const ATTRIBUTES =
  'lang charset name content rel href type class id width height method enctype accept action value autocomplete autocapitalize spellcheck placeholder for scope colspan datetime title translate tabindex role autofocus required readonly dir inputmode size max maxlength selected checked open novalidate formaction viewBox shape-rendering fill d aria-label aria-current aria-hidden aria-labelledby aria-describedby aria-invalid aria-sort';

export const OBSERVER = `{
  const TAGS = new Set(${JSON.stringify(TAGS)}.split(' '));
  const ATTRIBUTES = new Set(${JSON.stringify(ATTRIBUTES)}.split(' '));
  const ADDRESSES = ['href', 'src', 'action', 'formaction'];
  const { submit } = HTMLFormElement.prototype;
  const { origin } = new URL(document.baseURI);

  const tell = ({ effectiveDirective, blockedURI }) =>
    noticed('violation of ' + effectiveDirective + ': ' + blockedURI);
  addEventListener('securitypolicyviolation', tell);

  const isOurs = (address) => {
    const url = URL.parse(address, document.baseURI);
    return url?.protocol === 'mailto:' ? /^([?]subject=[^&]+&body=[^&]+)?$/.test(url.search) : url?.origin === origin;
  };
  globalThis.lookOver = () => {
    const strange = [], shown = [document.documentElement.textContent];
    for (const element of document.querySelectorAll('*')) {
      const isHidden = document.body.contains(element) && ['link', 'meta', 'title'].includes(element.localName);
      if (isHidden || !TAGS.has(element.localName)) strange.push('<' + element.localName + '>');
      for (const { name, value } of element.attributes) {
        shown.push(value);
        const isStrange = !ATTRIBUTES.has(name) || (ADDRESSES.includes(name) && !isOurs(value));
        if (isStrange) strange.push('<' + element.localName + ' ' + name + '=' + value.slice(0, 60) + '>');
      }
    }
    return { strange, shown: shown.join('\\n') };
  };
  let frame;
  globalThis.show = (html, isApart) =>
    new Promise((resolve) => {
      if (isApart || frame?.contentDocument === null) {
        frame?.remove();
        frame = undefined;
      }
      frame ??= document.body.appendChild(document.createElement('iframe'));
      const { contentDocument: page, contentWindow: view } = frame;
      page.open();
      view.addEventListener('securitypolicyviolation', tell);
      const look = () => {
        clearTimeout(late);
        try {
          resolve(view.lookOver());
        } catch {
          resolve({ strange: ['another page'], shown: '' });
        }
      };
      frame.onload = look;
      const late = setTimeout(look, 2000);
      page.write(html);
      page.close();
    });
  // Without what pages, fields and sentences leave out: space, and whatever does not show.
  const bareOf = (text) => text.normalize('NFC').replaceAll(/[\\s\\p{C}\\p{Z}\\uFFFD]/gu, '');
  globalThis.judge = ({ strange, shown }, texts) => {
    const bare = bareOf(shown);
    const missing = texts.filter((text) => !bare.includes(bareOf(text)));
    return [...strange.map((what) => 'there is ' + what), ...missing.map((text) => 'does not show ' + text)];
  };
  globalThis.judgeAll = async (pages) => {
    const judged = [];
    for (const { html, shows } of pages) {
      judged.push(judge(await show(html), shows));
      // The next page is not written while the last one is still told that it has loaded.
      await scheduler.yield();
    }
    return judged;
  };
  globalThis.send = (action, fields) => {
    const form = document.createElement('form');
    Object.assign(form, { action, method: 'post' });
    for (const [name, value] of fields) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name, value });
      form.append(input);
    }
    document.body.append(form);
    setTimeout(() => submit.call(form));
  };
}`;
