"""Bad input for the embedded broker, made by dice from good input; one seed makes the same again."""
