// Before anything is drawn: the theme this browser was told to use. Without one, the system's.
try {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // storage may be forbidden; then the system's theme it is
}
