from monai_sfda.cli import main

main()
