dnl HD_NEED(PREFIX, MODULE, DEBIAN-PACKAGE, WHAT-FOR): a library found by pkg-config, or a sentence that says what to do.
AC_DEFUN([HD_NEED], [PKG_CHECK_MODULES([$1], [$2], [],
  [AC_MSG_ERROR([$2 was not found by pkg-config. heapd needs it for $4. On Debian: apt-get install $3])])])

dnl HD_CFLAG(VARIABLE, FLAG): appends FLAG to VARIABLE if the compiler takes it without a warning.
AC_DEFUN([HD_CFLAG], [
  AC_MSG_CHECKING([whether $CC accepts $2])
  hd_saved=$CFLAGS
  CFLAGS="$CFLAGS -Werror $2"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"], [AC_MSG_RESULT([no])])
  CFLAGS=$hd_saved])

dnl HD_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([HD_LDFLAG], [
  AC_MSG_CHECKING([whether $CC links with $2])
  hd_saved=$LDFLAGS
  hd_saved_c=$CFLAGS
  LDFLAGS="$LDFLAGS $2"
  CFLAGS="$CFLAGS -fPIE"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"], [AC_MSG_RESULT([no])])
  CFLAGS=$hd_saved_c
  LDFLAGS=$hd_saved])

dnl HD_FORTIFY(VARIABLE): _FORTIFY_SOURCE works with optimization only, and warns without it.
AC_DEFUN([HD_FORTIFY], [
  AC_MSG_CHECKING([whether _FORTIFY_SOURCE works])
  hd_saved=$CFLAGS
  CFLAGS="$CFLAGS -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([#include <string.h>], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"], [AC_MSG_RESULT([no])])
  CFLAGS=$hd_saved])
