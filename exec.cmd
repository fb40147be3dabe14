@rem Windows has neither exec nor env: the scripts in package.json mean this one there, and what env would set is for the C library of Linux.
@if not "%~1"=="env" %*
@if "%~1"=="env" for /f "tokens=2,*" %%a in ("%*") do @%%b
