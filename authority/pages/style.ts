/** Served at /style.css. No images, no external fonts, only what these pages need. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f3f5f7, #14181d);
  --sheet: light-dark(#ffffff, #1d232a);
  --ink: light-dark(#1b2733, #e7ecf1);
  --quiet: light-dark(#566473, #9fadba);
  --line: light-dark(#d8dfe6, #35404b);
  --accent: light-dark(#0b6158, #5fc9bb);
  --on-accent: light-dark(#ffffff, #08201d);
  --alert: light-dark(#9b1c1c, #ff9d9d);
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 1.5rem 1rem 3rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main {
  max-width: 34rem; margin: 0 auto; padding: 1.5rem; background: var(--sheet);
  border: 1px solid var(--line); border-radius: .75rem;
}
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25; }
h2, legend { margin: 0; padding: 0; font-size: 1rem; font-weight: 600; }
p { margin: 0 0 1rem; }
.quiet { color: var(--quiet); font-size: .9rem; }
.alert { color: var(--alert); border-inline-start: .25rem solid; padding-inline-start: .75rem; }
main > :last-child { margin-bottom: 0; }
form { margin: 0; }
fieldset { margin: 0 0 1.25rem; padding: 0; border: 0; min-width: 0; }
label { display: block; }
.row {
  display: grid; grid-template-columns: 1.5rem 1fr; gap: .5rem; align-items: start;
  padding: .6rem 0; border-top: 1px solid var(--line); cursor: pointer;
}
.row:first-of-type { margin-top: .4rem; }
.row input { width: 1.15rem; height: 1.15rem; margin: .2rem 0 0; accent-color: var(--accent); }
.row code { color: var(--quiet); font-size: .8rem; overflow-wrap: anywhere; }
.row small { display: block; font-size: .875rem; font-weight: 600; }
.row code { display: block; }
.fresh { margin-top: .4rem; padding-inline-start: .75rem; border-inline-start: .25rem solid var(--accent); }
.fresh .row:first-of-type { margin-top: 0; border-top: 0; }
.new {
  display: inline-block; padding: 0 .4rem; font-size: .8rem; line-height: 1.4;
  color: var(--on-accent); background: var(--accent); border-radius: .3rem;
}
.standing { padding: .6rem .75rem; background: var(--ground); border-radius: .5rem; }
a { color: var(--accent); overflow-wrap: anywhere; }
.field { margin-bottom: 1rem; }
.field input, select {
  width: 100%; margin-top: .25rem; padding: .6rem .7rem; font: inherit; color: inherit;
  background: var(--ground); border: 1px solid var(--line); border-radius: .5rem;
}
.actions { display: flex; flex-wrap: wrap; gap: .75rem; }
button, .button {
  flex: 1 1 8rem; min-height: 2.9rem; padding: .6rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--accent); background: transparent; border: 1px solid var(--accent); border-radius: .5rem;
}
a.button { display: block; text-align: center; text-decoration: none; }
button.main, a.main { color: var(--on-accent); background: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
ul { margin: .25rem 0 1.25rem; padding-inline-start: 1.25rem; }
.languages { max-width: 34rem; margin: 0 auto .5rem; font-size: .9rem; }
.languages ul {
  display: flex; flex-wrap: wrap; justify-content: flex-end; gap: .25rem; margin: 0; padding: 0; list-style: none;
}
.languages a, .languages span { display: block; padding: .3rem .6rem; }
.languages span { font-weight: 600; }
`;
