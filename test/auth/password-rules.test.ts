import { describe, expect, test } from 'vitest';
import { newPasswordProblems, passwordProblem } from '../../src/auth/password-rules.ts';

const ALICE = { username: 'alice', email: 'a.liddell@example.org' };

/** Clubs, sayings, walks over the keyboard, words twice or with digits behind. */
const WELL_KNOWN = `
    manchesterunited manchestercity1 liverpoolfc1892 realmadrid123456 barcelona123456 fcbarcelona1899
    arsenalfootball chelseafootballclub tottenhamhotspur newcastleunited westhamunited123
    leedsunited12345 juventus1234567 bayernmunich2020 borussiadortmund galatasaray1905 fenerbahce190734
    dallascowboys88 pittsburghsteelers greenbaypackers newyorkyankees1 bostonredsox2004 losangeleslakers
    sanfrancisco49ers administrator123 administrator1234 Administrator2023! Admin123456789!
    adminadminadmin1 rootrootrootroot iloveyouforever iloveyousomuch1 iloveyou12345678 iloveyouiloveyou
    iloveyou3000iloveyou ilovemyfamily123 ilovejesus12345 jesuslovesme123 jesuschristislord
    thisismypassword thisisapassword mypassword12345 mypasswordis123 passwordpassword passwordpassword1
    password12345678 Password1234567! password123password passw0rdpassw0rd P@ssw0rd12345678
    P@ssword123456789 letmein12345678 letmeinletmein1 letmeinplease123 trustno1trustno1 changemechangeme
    changeme1234567 changeme12345678 mustangmustang1 dragondragon123 monkeymonkey123 sunshine12345678
    princess12345678 football12345678 baseball12345678 superman12345678 starwars12345678
    whatever12345678 welcome12345678 Welcome123456789 welcometomyworld qwertyuiop123456 qwertyuiop12345
    qwertyuiopasdfghjkl 1q2w3e4r5t6y7u8i 1q2w3e4r5t6y7u8i9o0p q1w2e3r4t5y6u7i8 qawsedrftgyhujik
    qazwsxedcrfvtgb 1qaz2wsx3edc4rfv zaq12wsxcde34rfv zaq1xsw2cde3vfr4 !QAZ2wsx#EDC4rfv 1qaz!QAZ2wsx@WSX
    123qweasdzxc123 qweasdzxcqweasdzxc qwe123asd456zxc789 asdfghjkl123456 zxcvbnm12345678
    abcd1234abcd1234 abc123abc123abc abcdef123456789 a1b2c3d4e5f6g7h8 1a2b3c4d5e6f7g8h 123456789abcdef
    123456789qwerty 12345qwert12345 112233445566778 correcthorsebatterystaple
    correct-horse-battery-staple Tr0ub4dor&3Tr0ub4dor&3 harrypotter12345 spongebobsquarepants
    pokemonpokemon1 minecraft123456 onedirection123 bestfriendsforever bestfriends4ever friendsforever1
    togetherforever foreverandalways supercalifragilisticexpialidocious callofduty12345
    metallicametallica ironmaiden66666 ledzeppelin1234 linkinparklinkinpark michaeljackson1
    christopher1234 alexander1234567 elizabeth1234567 charlottesville massachusetts123 sanfrancisco123
    newyorkcity1234 computer12345678 internet12345678 samsung12345678 google123456789 facebook12345678
    microsoft12345678 nopassword12345 secretpassword1 supersecretpassword supersecret12345
    topsecret1234567 opensesame12345 masterpassword1 testtesttesttest testpassword123 test12345678910
    temppassword123 Summer2023Summer2023 Winter2024Winter2024! asdfasdfasdfasdf wordpass12345678
    godisgoodallthetime blink182blink182 hellohellohello helloworld12345 hello123hello123
    whoareyouwhoareyou idontknowmypassword iforgotmypassword password-password dragon.dragon.dragon
    monkey-monkey-monkey qwerty-qwerty-qwerty mickeymouse12345 donaldduck123456 batmanandrobin1
    thelordoftherings gameofthrones123 startrekvoyager abcdefghijklmno`.trim();

describe('a password', () => {
  test.each([
    'lemon trees on the roof',
    ' spaces  are  characters ',
    'пароль для моего дома',
    '日本語のとても長いパスワードです',
    '👩‍👩‍👧 has three children, not four',
    'Tr0ub4dor&3 zwischen uns',
    `${'lemon trees '.repeat(10)}on the roof`,
    'x7#kQ2!mZ9@pL4$',
    'otter violin cactus brisk',
    'ottervioLinCactusBrisk42',
    'vkqzrtmxbwhpjyd',
    'Kd8vQzR2mTw7XbNc4HsG',
    '7f3a9c1e5b8d2f60a4c7e91b3d5f8a26',
    'b42c056275124492c6abc61c511172a0',
  ])('%s is taken', (password) => {
    expect(passwordProblem(password, ALICE)).toBeUndefined();
  });

  test.each([
    ['', 'Enter a password.'],
    ['a', 'The password is too short: 1 character, at least 15.'],
    ['short of fiftee', undefined],
    ['short of fifte', 'The password is too short: 14 characters, at least 15.'],
    // Fifteen units of UTF-16 and more, but fourteen characters.
    ['😀😁😂😃😄😅😆😇😈😉😊😋😌😍', 'The password is too short: 14 characters, at least 15.'],
    ['cafe\u0301 short of', 'The password is too short: 13 characters, at least 15.'],
  ])('is as long as people count: %s', (password, problem) => {
    expect(passwordProblem(password, ALICE)).toBe(problem);
  });

  test('may have 128 characters and more, but not any number', () => {
    const words = (length: number) =>
      Array.from({ length }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7919) % 20_000))).join('');
    expect(passwordProblem(words(128), ALICE)).toBeUndefined();
    expect(passwordProblem(words(256), ALICE)).toBeUndefined();
    expect(passwordProblem(words(257), ALICE)).toBe('The password is too long: 257 characters, at most 256.');
    expect(passwordProblem('e\u0301'.repeat(1_000_000), ALICE)).toMatch(/far too long/);
  });

  test.each([
    'aaaaaaaaaaaaaaaaaaaa',
    'ababababababababab',
    'abcabcabcabcabcabc',
    'lemonlemonlemonlemon',
    '123456789012345',
    '987654321098765',
    'abcdefghijklmnop',
    'ZYXWVUTSRQPONMLK',
    'qwertyuiopasdfghjkl',
    'QWERTZUIOPASDFGH',
    'poiuytrewqlkjhgf',
    '1qaz2wsx3edc4rfv5tgb',
    'qwerty123456qwerty',
    '１２３４５６７８９０１２３４５',
    'aaaaaaaaabbbbbbbbbccccccccc',
    'Password12!Password12!',
    '                    ',
    // From row to row in turns, and two alphabets.
    '1q2w3e4r5t6y7u8i',
    '1Q2W3E4R5T6Y7U8I9O0P',
    'q1w2e3r4t5y6u7i8',
    'qawsedrftgyhujik',
    'zaq12wsxcde34rfv',
    'zaq1xsw2cde3vfr4',
    'a1b2c3d4e5f6g7h8',
    '!@#$%^&*()_+!@#$%',
    // The same again, whatever stands between and behind.
    'mustangmustang1',
    'trustno1trustno1',
    'letmein letmein',
    'Winter2024Winter2025!',
    'iloveyou3000iloveyou',
  ])('%s is too easy to guess', (password) => {
    expect(passwordProblem(password, ALICE)).toMatch(/too easy to guess/);
  });

  test.each([
    'manchesterunited',
    'Manchester United',
    'tottenham-hotspur',
    'greenbaypackers',
    'spongebobsquarepants',
    'mychemicalromance',
    'CristianoRonaldo7',
    'iloveyouforever',
    'I love you, forever!',
    'thisismypassword',
    'correct horse battery staple',
    'correcthorsebatterystaple',
    'acknowledgement1',
    'administrator123',
    'Administrator2023!',
    'letmein12345678',
    '2024!!!letmein!!!2024',
    'p@ssw0rd.20240131',
    'changeme-19071985',
    'ＬＥＴＭＥＩＮ１２３４５６７８',
  ])('%s is well known', (password) => {
    expect(passwordProblem(password, ALICE)).toMatch(/is well known/);
  });

  test('is none of those that everyone knows', () => {
    const taken = WELL_KNOWN.split(/\s+/).filter(
      (password) => passwordProblem(password, ALICE) === undefined,
    );
    expect(taken).toEqual([]);
  });

  test.each([
    'my name is ALICE, really',
    'write to a.liddell@example.org',
    'call me A.Liddell today',
    'ａｌｉｃｅ in wonderland',
  ])('%s has a name of its owner in it', (password) => {
    expect(passwordProblem(password, ALICE)).toBe('The password must not contain the username or the email.');
  });

  test('may contain a name that is in every other word', () => {
    const al = { username: 'al', email: 'al@example.org' };
    expect(passwordProblem('all small walls are tall', al)).toBeUndefined();
  });
});

test('a password is chosen by typing it twice, composed or not', () => {
  const of = (new_password: string, new_password_again: string) =>
    newPasswordProblems({ new_password, new_password_again }, ALICE);
  expect(of('caf\u00e9 au lait, s il vous plait', 'cafe\u0301 au lait, s il vous plait')).toEqual({});
  expect(of('lemon trees on the roof', 'lemon trees on the rof')).toEqual({
    new_password_again: 'The two passwords differ.',
  });
  expect(of('short', 'shorter')).toEqual({ new_password: expect.stringMatching(/too short/) });
});
